use super::*;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Example {
    listen: Listen,
    auth: Auth,
    tls: Tls,
    telemetry: Telemetry,
    name: Option<String>,
}

impl Default for Example {
    fn default() -> Self {
        Self {
            listen: Listen::loopback(7000, 7001),
            auth: Auth::default(),
            tls: Tls::default(),
            telemetry: Telemetry::default(),
            name: None,
        }
    }
}

fn read(toml: &str) -> Result<Example, ConfigError> {
    effective("example", &Figment::from(Toml::string(toml)))
}

#[test]
fn nothing_given_is_the_defaults() {
    assert_eq!(read("").unwrap(), Example::default());
}

#[test]
fn a_given_key_replaces_its_default_and_no_other() {
    let config = read("[listen]\npublic = \"127.0.0.1:9000\"\n[telemetry]\nlog_format = \"pretty\"").unwrap();

    assert_eq!(config.listen.public.port(), 9000);
    assert_eq!(config.listen.internal.port(), 7001);
    assert_eq!(config.telemetry.log_format, LogFormat::Pretty);
}

#[test]
fn an_optional_key_may_be_given() {
    assert_eq!(read("name = \"x\"").unwrap().name.as_deref(), Some("x"));
}

#[test]
fn a_misspelt_key_is_refused_by_its_path() {
    let error = read("[listen]\npubic = \"127.0.0.1:9000\"\n[auht]\ndevelopment_headers = true").unwrap_err();

    assert_eq!(error.to_string(), "the configuration of example has no key auht, listen.pubic");
}

#[test]
fn a_value_of_the_wrong_kind_is_refused() {
    assert!(matches!(read("[listen]\npublic = \"nowhere\""), Err(ConfigError::Invalid { .. })));
}

#[test]
fn a_file_that_was_named_must_exist() {
    let error = load_from::<Example>("example", Some(Path::new("/does/not/exist.toml"))).unwrap_err();

    assert!(matches!(error, ConfigError::FileMissing { .. }));
}
