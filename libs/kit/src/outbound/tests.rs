//! What is called and what is not, in every spelling.

use super::*;

fn guard(inside: &[&str]) -> AddressGuard {
    let inside = inside.iter().map(|entry| (*entry).to_owned()).collect();
    Outbound { inside, ..Outbound::default() }.guard().unwrap()
}

#[test]
fn nothing_of_our_own_is_called() {
    for address in [
        "127.0.0.1",
        "127.9.9.9",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.3.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "192.0.0.192",
        "192.88.99.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::101:101",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::",
        "2001:0:1::",
        "2001:db8::1",
        "3fff::1",
        "fec0::1",
        "5f00::1",
    ] {
        assert!(!is_public(address.parse().unwrap()), "{address}");
    }
}

#[test]
fn what_is_public_is_called() {
    for address in
        ["93.184.215.14", "1.1.1.1", "2606:4700::1111", "64:ff9b::101:101", "100.128.0.1", "2002:101:101::1"]
    {
        assert!(is_public(address.parse().unwrap()), "{address}");
    }
}

#[test]
fn a_host_in_numbers_is_refused_in_every_spelling() {
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "0",
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "[::1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::a9fe:a9fe]",
        "１２７.０.０.１",
        "127。0。0。1",
        "①②⑦.0.0.1",
    ] {
        let outcome = guard(&[]).admit(&format!("https://{host}/metadata/iam"));
        assert!(outcome.is_err(), "{host}: {outcome:?}");
    }
}

#[test]
fn an_address_has_one_form() {
    let guard = guard(&[]);
    for (given, normal) in [
        ("https://Receiver.Example:443/Hook?a=B", "https://receiver.example/Hook?a=B"),
        ("HTTPS://receiver.example", "https://receiver.example/"),
        ("https://bücher.example/a/../b", "https://xn--bcher-kva.example/b"),
        (" https://receiver.example:8443/ ", "https://receiver.example:8443/"),
    ] {
        assert_eq!(guard.admit(given).unwrap().as_str(), normal);
    }
    for refused in [
        "https://user@receiver.example/",
        "https://:secret@receiver.example/",
        "https://receiver.example/#a",
        "http://receiver.example/",
        "ftp://receiver.example/",
        "file:///etc/passwd",
        "receiver.example",
        "https://receiver.example:22/",
        "https:///",
        "data:text/plain,x",
        "https://a b.example/",
    ] {
        assert!(guard.admit(refused).is_err(), "{refused}");
    }
}

#[test]
fn what_the_configuration_names_as_ours_is_called_at_its_ports_only() {
    let guard = guard(&["127.0.0.1:8080", "Sandbox.Internal:*", "[::1]:9000"]);
    for called in [
        "http://127.0.0.1:8080/",
        "https://127.0.0.1:8080/",
        "http://sandbox.internal:1/",
        "http://[::1]:9000/",
        "http://2130706433:8080/",
    ] {
        assert!(guard.admit(called).is_ok(), "{called}");
    }
    for refused in [
        "http://127.0.0.1/",
        "http://127.0.0.1:8081/",
        "http://127.0.0.2:8080/",
        "https://[::1]:443/",
        "ftp://sandbox.internal/",
        "http://receiver.example:8080/",
    ] {
        assert!(guard.admit(refused).is_err(), "{refused}");
    }
}

#[test]
fn only_named_hosts_and_ports_are_called_where_the_configuration_names_any() {
    let allowed = Outbound {
        hosts: vec!["partner.example".to_owned(), "*.shops.example".to_owned()],
        ports: vec![443],
        inside: Vec::new(),
    };
    let guard = allowed.guard().unwrap();
    for called in ["https://partner.example/", "https://partner.example./", "https://a.b.shops.example/"] {
        assert!(guard.admit(called).is_ok(), "{called}");
    }
    for refused in [
        "https://other.example/",
        "https://shops.example/",
        "https://evilshops.example/",
        "https://1.1.1.1/",
        "https://partner.example:8443/",
        "https://partner.example.evil.example/",
    ] {
        assert!(guard.admit(refused).is_err(), "{refused}");
    }
    for (hosts, inside) in [("", "a:1"), ("a b", "a:1"), ("a", "a b"), ("a", "a:port"), ("a", ":1")] {
        let wrong =
            Outbound { hosts: vec![hosts.to_owned()], ports: vec![443], inside: vec![inside.to_owned()] };
        assert!(wrong.guard().is_err(), "{hosts:?} {inside:?}");
    }
}

/// A name that somebody has pointed at us, and one that has an honest address beside.
fn pointed_at_us(name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
    async move {
        let addresses: &[&str] = match name.as_str() {
            "both.example" => &["10.0.0.7", "::1", "93.184.215.14"],
            _ => &["127.0.0.1", "169.254.169.254", "::ffff:127.0.0.1"],
        };
        Ok(addresses.iter().map(|address| address.parse().unwrap()).collect())
    }
    .boxed()
}

#[tokio::test]
async fn every_answer_for_a_name_is_judged_when_it_is_connected_to() {
    let allowed = Outbound { inside: vec!["ours.example:*".to_owned()], ..Outbound::default() };
    let guard = AddressGuard::resolving_with(&allowed, pointed_at_us).unwrap();
    let resolved = async |name: &str| -> Result<Vec<String>, String> {
        let found = guard.resolve(name.parse().unwrap()).await;
        let text = |address: SocketAddr| address.ip().to_string();
        found.map(|found| found.map(text).collect()).map_err(|problem| problem.to_string())
    };

    assert_eq!(resolved("both.example").await.unwrap(), ["93.184.215.14"]);
    assert!(resolved("evil.example").await.unwrap_err().contains("evil.example has no address"));
    assert_eq!(resolved("ours.example").await.unwrap().len(), 3, "the configuration names it");
    let asked = guard.client().build().unwrap().get("https://evil.example/").send().await.unwrap_err();
    assert!(asked.is_connect(), "{asked:?}");
}
