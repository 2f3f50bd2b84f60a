"""Checks that schemas can't: that the rendered manifests, compose.yaml, the protos and the services' own
configuration fit each other. Called by check.sh with the directory that holds what it rendered."""

import base64
import os
import pathlib
import re
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
SERVICES = ["order", "inventory", "payment", "notification"]
OVERLAYS = ["base", "development", "production"]
DRAIN_SECONDS = 25  # kit::server::DRAIN_MAX


def main(rendered_in):
    rendered = {name: load(pathlib.Path(rendered_in) / f"{name}.yaml") for name in OVERLAYS}
    for name, documents in rendered.items():
        for service in SERVICES:
            check_deployment(name, documents, service)
        check_network(name, documents)
        print(f"ok: the four services of {name} are hardened, probed by names that exist, and reachable as they call")
    check_production(rendered["production"])
    print("ok: production has autoscalers from two replicas up, believes no development headers, knows its "
          "services by their certificates and does not list itself")

    compose = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())
    check_compose(compose)
    print("ok: compose.yaml has PostgreSQL and the four services on the one Dockerfile")
    check_collector(yaml.safe_load((ROOT / "deploy/otel/collector.yaml").read_text()))
    print("ok: the collector's pipelines name what it defines")

    environments = {
        f"{overlay} {service}": environment_of(rendered[overlay], service)
        for overlay in ["development", "production"]
        for service in SERVICES
    }
    for service in SERVICES:
        environments[f"compose {service}"] = {
            key: interpolated(str(value)) for key, value in compose["services"][service]["environment"].items()
        }
    check_configurations(environments)


def load(path):
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def find(documents, kind, name):
    found = [d for d in documents if d["kind"] == kind and re.sub("-[a-z0-9]{10}$", "", d["metadata"]["name"]) == name]
    assert len(found) == 1, f"{kind} {name}: {len(found)} found"
    return found[0]


def grpc_services():
    names = set()
    for path in (ROOT / "proto").rglob("*.proto"):
        text = path.read_text()
        package = re.search(r"^package (\S+);", text, re.M)[1]
        names |= {f"{package}.{name}" for name in re.findall(r"^service (\w+) ", text, re.M)}
    return names


def check_deployment(overlay, documents, service):
    where = f"{overlay} {service}"
    pod = find(documents, "Deployment", service)["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False, where
    assert find(documents, "ServiceAccount", service)["automountServiceAccountToken"] is False, where
    security = pod["securityContext"]
    assert security["runAsNonRoot"] and security["runAsUser"] > 10000, where
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}, where

    (migrate,), (container,) = pod["initContainers"], pod["containers"]
    assert migrate["args"] == ["migrate"] and migrate["env"] == container["env"], where
    for each in (migrate, container):
        locked = each["securityContext"]
        assert locked["readOnlyRootFilesystem"] and not locked["allowPrivilegeEscalation"], where
        assert locked["capabilities"] == {"drop": ["ALL"]}, where
        assert {"cpu", "memory"} <= each["resources"]["requests"].keys(), where
        assert "memory" in each["resources"]["limits"], where

    sleep = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] > sleep + DRAIN_SECONDS, where
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["grpc"]["port"] == ports["health"], where
    for probe in ("startupProbe", "readinessProbe"):
        assert container[probe]["grpc"]["service"] in grpc_services(), f"{where}: {probe} names no service"
    environment = environment_of(documents, service)
    for listener in ("public", "internal", "health"):
        assert environment[f"COUNTERMAND_LISTEN__{listener.upper()}"] == f"0.0.0.0:{ports[listener]}", where
    budget = find(documents, "PodDisruptionBudget", service)["spec"]
    assert budget["selector"]["matchLabels"] == {"app.kubernetes.io/name": service}, where


def check_network(overlay, documents):
    """Every peer in an environment is a Service at a port that its pods listen at and that policies let through."""
    deny = find(documents, "NetworkPolicy", "default-deny")["spec"]
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}, overlay
    for caller in SERVICES:
        for key, url in environment_of(documents, caller).items():
            if key.startswith("COUNTERMAND_PEERS__"):
                check_call(documents, caller, *re.fullmatch(r"https?://([a-z-]+):(\d+)", url).groups())


def check_call(documents, caller, host, port):
    callee = host.removesuffix("-internal")
    listener = "internal" if host.endswith("-internal") else "public"
    where = f"{caller} to {host}:{port}"
    service = find(documents, "Service", host)["spec"]
    assert service["selector"] == named(callee)["matchLabels"], where
    assert [(p["port"], p["targetPort"]) for p in service["ports"]] == [(int(port), listener)], where
    container = find(documents, "Deployment", callee)["spec"]["template"]["spec"]["containers"][0]
    assert {"name": listener, "containerPort": int(port)} in container["ports"], where
    out = find(documents, "NetworkPolicy", caller)["spec"]["egress"]
    to_port = {"port": int(port), "protocol": "TCP"}
    assert any({"podSelector": named(callee)} in rule["to"] and to_port in rule["ports"] for rule in out), where
    into = find(documents, "NetworkPolicy", callee)["spec"]["ingress"]
    at_port = {"port": listener}
    assert any({"podSelector": named(caller)} in rule["from"] and at_port in rule["ports"] for rule in into), where


def named(service):
    return {"matchLabels": {"app.kubernetes.io/name": service}}


def check_production(documents):
    for service in SERVICES:
        scaler = find(documents, "HorizontalPodAutoscaler", service)["spec"]
        assert scaler["minReplicas"] >= 2 and scaler["scaleTargetRef"]["name"] == service
        spec = find(documents, "Deployment", service)["spec"]
        assert "replicas" not in spec, "the autoscaler decides"
        assert spec["template"]["spec"]["topologySpreadConstraints"]
        environment = environment_of(documents, service)
        assert "COUNTERMAND_AUTH__DEVELOPMENT_HEADERS" not in environment, service
        assert "COUNTERMAND_REFLECTION__ENABLED" not in environment, service
        check_workload(documents, service, environment)
    assert not [d for d in documents if d["kind"] == "Secret"], "production's secrets come from elsewhere"


def check_workload(documents, service, environment):
    """Each service holds a certificate, asks its callers for theirs, and names every one that calls it."""
    pod = find(documents, "Deployment", service)["spec"]["template"]["spec"]
    volumes = {volume["name"]: volume["secret"]["secretName"] for volume in pod["volumes"]}
    for container in pod["initContainers"] + pod["containers"]:
        (mount,) = container["volumeMounts"]
        assert volumes[mount["name"]] == f"{service}-workload" and mount["readOnly"], service
        for key in ("TLS__INTERNAL__CLIENT_CA", "TLS__INTERNAL__CERTIFICATE", "CLIENT__TLS__SERVER_CA", "CLIENT__TLS__KEY"):
            assert environment[f"COUNTERMAND_{key}"].startswith(mount["mountPath"]), f"{service}: {key}"
    assert "COUNTERMAND_INTERNAL__SECRET" not in environment, service
    callers = {caller for caller in SERVICES if f"COUNTERMAND_PEERS__{service.upper()}" in environment_of(documents, caller)}
    named_in = {key.split("__")[2].lower() for key in environment if key.startswith("COUNTERMAND_INTERNAL__PEERS__")}
    assert callers == named_in, f"{service} is called by {callers} and knows {named_in}"
    for caller in callers:
        names = environment[f"COUNTERMAND_INTERNAL__PEERS__{caller.upper()}__NAMES"]
        assert names == f'["spiffe://countermand/{caller}"]', f"{service}: {names}"
        url = environment_of(documents, caller)[f"COUNTERMAND_PEERS__{service.upper()}"]
        assert url.startswith("https://"), f"{caller} to {url}"


def check_compose(compose):
    assert compose["services"].keys() == {"postgres", *SERVICES}
    assert compose["services"]["postgres"]["image"].startswith("postgres:15")
    for service in SERVICES:
        spec = compose["services"][service]
        assert spec["build"]["dockerfile"] == "deploy/Dockerfile" and spec["build"]["args"] == {"SERVICE": service}
        assert spec["read_only"] and spec["cap_drop"] == ["ALL"]
        assert spec["depends_on"]["postgres"]["condition"] == "service_healthy"
        database = f"countermand_{service}"
        url = interpolated(spec["environment"]["COUNTERMAND_DATABASE__URL"])
        assert url == f"postgres://{database}:development@postgres/{database}", url
    for mount in compose["services"]["postgres"]["volumes"]:
        source = mount.split(":")[0]
        assert not source.startswith(".") or (ROOT / "deploy" / source).exists(), source


def check_collector(collector):
    for pipeline in collector["service"]["pipelines"].values():
        for kind in ("receivers", "processors", "exporters"):
            assert set(pipeline[kind]) <= collector[kind].keys()


def interpolated(text):
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def environment_of(documents, service):
    container = find(documents, "Deployment", service)["spec"]["template"]["spec"]["containers"][0]
    environment = {}
    for source in container["envFrom"]:
        config = [d for d in documents if d["kind"] == "ConfigMap" and d["metadata"]["name"] == source["configMapRef"]["name"]]
        assert len(config) == 1, f"{service}: {source}"
        environment |= config[0]["data"]
    for entry in container["env"]:
        environment[entry["name"]] = entry.get("value") or told_by(documents, entry["valueFrom"])
    return environment


def told_by(documents, source):
    # What the pod says of itself is known when it runs; any text stands for it.
    return source["fieldRef"]["fieldPath"] if "fieldRef" in source else secret(documents, source["secretKeyRef"])


def secret(documents, reference):
    found = [d for d in documents if d["kind"] == "Secret" and d["metadata"]["name"] == reference["name"]]
    if found:
        return base64.b64decode(found[0]["data"][reference["key"]]).decode()
    # Production's come from elsewhere.
    return "postgres://user:password@database/name" if reference["key"] == "url" else "secret"


def check_configurations(environments):
    """The programs themselves say whether they know every key: they end with 78 when they don't. `healthcheck` reads
    the configuration and then finds nobody at home, or somebody; both are fine here."""
    missing = set()
    for name, environment in environments.items():
        service = name.split()[1]
        program = ROOT / "target/debug" / service
        if not program.exists():
            missing.add(service)
            continue
        clean = {key: value for key, value in os.environ.items() if not key.startswith("COUNTERMAND_")}
        ended = subprocess.run(
            [program, "healthcheck"], env=clean | environment, capture_output=True, text=True, timeout=30, check=False
        )
        assert ended.returncode in (0, 1), f"{name} ended with {ended.returncode}: {ended.stderr}"
    built = [service for service in SERVICES if service not in missing]
    if built:
        print(f"ok: every configuration key of development, production and compose is known to {', '.join(built)}")
    if missing:
        print(f"skipped: {', '.join(sorted(missing))} not built, so their configuration keys were not tried")


if __name__ == "__main__":
    main(sys.argv[1])
