//! Who calls: said with every call, in a signed token or in the headers of a suite for development.

use clap::Args;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::{Request, Status};

/// The role of who names none.
const DEFAULT_ROLE: &str = "manager";

/// The options that say who calls.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Who calls")]
pub struct Identity {
    /// Be somebody: USER, USER@ORGANISATION, each with :ROLE or as manager. Believed by a suite for development, as `up` runs it.
    #[arg(
        long = "as",
        id = "as",
        value_name = "USER[@ORGANISATION][:ROLE]",
        env = "COUNTERMAND_AS",
        value_parser = parse_somebody,
        conflicts_with = "token",
        global = true
    )]
    somebody: Option<Somebody>,
    /// Be whom a signed token says.
    #[arg(long, value_name = "JWT", env = "COUNTERMAND_TOKEN", hide_env_values = true, global = true)]
    token: Option<String>,
    /// Work in this tenant; a token says it itself.
    #[arg(long, value_name = "TENANT", env = "COUNTERMAND_TENANT", conflicts_with = "token", global = true)]
    tenant: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Somebody {
    user: String,
    organisation: String,
    role: String,
}

/// Writes the identity into the metadata of each call.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    headers: Vec<(&'static str, MetadataValue<Ascii>)>,
}

impl Identity {
    pub fn caller(&self) -> anyhow::Result<Caller> {
        let somebody = self.somebody.clone().unwrap_or_default();
        // Who runs the suite on a machine of their own manages it; a token says its own role.
        let role = match (self.token.is_some(), somebody.role.is_empty()) {
            (false, true) => DEFAULT_ROLE.to_owned(),
            (_, _) => somebody.role,
        };
        let bearer = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let said = [
            ("authorization", bearer.unwrap_or_default()),
            ("x-countermand-tenant", self.tenant.clone().unwrap_or_default()),
            ("x-countermand-user", somebody.user),
            ("x-countermand-org", somebody.organisation),
            ("x-countermand-role", role),
        ];
        let mut headers = Vec::new();
        for (name, value) in said.into_iter().filter(|(_, value)| !value.is_empty()) {
            let value = MetadataValue::try_from(&value);
            headers.push((name, value.map_err(|_| anyhow::anyhow!("{name} holds what no header may hold"))?));
        }
        Ok(Caller { headers })
    }
}

impl Interceptor for Caller {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        for (name, value) in &self.headers {
            request.metadata_mut().insert(*name, value.clone());
        }
        Ok(request)
    }
}

fn parse_somebody(text: &str) -> Result<Somebody, String> {
    let (who, role) = text.split_once(':').unwrap_or((text, ""));
    let (user, organisation) = who.split_once('@').unwrap_or((who, ""));
    if user.is_empty() && organisation.is_empty() && role.is_empty() {
        return Err("name a user, an organisation or a role, such as ann@bistro:buyer".to_owned());
    }
    Ok(Somebody { user: user.to_owned(), organisation: organisation.to_owned(), role: role.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_somebody_may_be_left_out() {
        let parsed = |text: &str| {
            let Somebody { user, organisation, role } = parse_somebody(text).unwrap();
            [user, organisation, role].join("/")
        };
        assert_eq!(parsed("ann@bistro:buyer"), "ann/bistro/buyer");
        assert_eq!(parsed("ann"), "ann//");
        assert_eq!(parsed(":buyer"), "//buyer");
        assert!(parse_somebody("@").is_err());
    }

    #[test]
    fn who_says_nothing_manages_the_suite_and_a_token_speaks_for_itself() {
        let token = Identity { token: Some("t".to_owned()), ..Identity::default() };
        let said = |identity: &Identity| -> Vec<&'static str> {
            identity.caller().unwrap().headers.iter().map(|(name, _)| *name).collect()
        };

        assert_eq!(said(&Identity::default()), ["x-countermand-role"]);
        assert_eq!(said(&token), ["authorization"]);
    }
}
