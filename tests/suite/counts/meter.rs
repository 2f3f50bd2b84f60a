//! Reading the counters: the server's of rows, commits and WAL, the log of statements, the calls in the logs of services.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tests::Service;
use tests::Suite;

/// Rows of each table, those of its texts that are stored beside it among them, and the transactions of the database.
const ROWS: &str = "
    SELECT COALESCE(o.relname, c.relname), SUM(n_tup_ins), SUM(n_tup_upd), SUM(n_tup_hot_upd), SUM(n_tup_del),
           SUM(COALESCE(seq_tup_read, 0) + COALESCE(idx_tup_fetch, 0))
      FROM pg_stat_all_tables AS s JOIN pg_class AS c ON c.oid = s.relid LEFT JOIN pg_class AS o ON o.reltoastrelid = c.oid
     WHERE COALESCE(o.relnamespace, c.relnamespace) = 'public'::regnamespace
     GROUP BY 1
    UNION ALL
    SELECT '', xact_commit, xact_rollback, 0, 0, 0 FROM pg_stat_database WHERE datname = current_database()";

const SLOW_COMMITS: &str = "
    CREATE FUNCTION slow_commit() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF current_setting('counts.waited', true) IS DISTINCT FROM txid_current()::text THEN
            PERFORM set_config('counts.waited', txid_current()::text, true), pg_sleep({seconds});
        END IF;
        RETURN NULL;
    END $$;
    DO $$
    DECLARE name text;
    BEGIN
        FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
            EXECUTE format('CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT OR UPDATE ON %I DEFERRABLE INITIALLY DEFERRED
                            FOR EACH ROW EXECUTE FUNCTION slow_commit()', name);
        END LOOP;
    END $$";

pub struct Meter<'a> {
    pub suite: &'a Suite,
    pub statements: &'a Path,
}

/// Rows of a table that were inserted, updated and read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rows {
    pub inserted: f64,
    pub updated: f64,
    /// Those of the updates that touched no index.
    pub hot: f64,
    pub deleted: f64,
    pub read: f64,
}

/// Counters at an instant, or what they have grown by.
#[derive(Debug, Clone)]
pub struct Reading {
    at: Instant,
    took: Duration,
    /// By service and table.
    pub tables: BTreeMap<(&'static str, String), Rows>,
    pub statements: BTreeMap<String, f64>,
    pub commits: f64,
    pub rollbacks: f64,
    pub wal_bytes: f64,
    /// Requests and their answers.
    pub messages: f64,
}

impl Meter<'_> {
    pub fn read(&self) -> Result<Reading> {
        let (mut tables, mut commits, mut rollbacks) = (BTreeMap::new(), 0.0, 0.0);
        for service in Service::ALL {
            for row in query(self.suite.database_url(service)?, ROWS)? {
                let counts: Vec<f64> = row[1..].iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
                if row[0].is_empty() {
                    commits += counts[0];
                    rollbacks += counts[1];
                    continue;
                }
                let rows = Rows {
                    inserted: counts[0],
                    updated: counts[1],
                    hot: counts[2],
                    deleted: counts[3],
                    read: counts[4],
                };
                tables.insert((service.name(), row[0].clone()), rows);
            }
        }
        let mut statements = BTreeMap::new();
        let log = std::fs::read_to_string(self.statements).context("reading the log of statements")?;
        for name in log.lines().filter_map(|line| line.strip_prefix("postgres ")) {
            *statements.entry(name.to_owned()).or_insert(0.0) += 1.0;
        }
        let mut messages = 0.0;
        for service in Service::ALL {
            let log = std::fs::read_to_string(self.suite.log(service)).context("reading a service's log")?;
            messages += log.lines().filter(|line| line.contains("\"answered\"")).map(|_| 2.0).sum::<f64>();
        }
        let wal = query(self.suite.database_url(Service::Order)?, "SELECT wal_bytes FROM pg_stat_wal")?;
        Ok(Reading {
            at: Instant::now(),
            took: Duration::ZERO,
            tables,
            statements,
            commits,
            rollbacks,
            wal_bytes: wal[0][0].parse()?,
            messages,
        })
    }

    /// Makes each transaction that has written wait once before it commits, by itself and not together with others.
    pub fn slow_commits(&self, milliseconds: u128) -> Result<()> {
        let text = SLOW_COMMITS.replace("{seconds}", &format!("0.{milliseconds:03}"));
        Service::ALL
            .into_iter()
            .try_for_each(|service| query(self.suite.database_url(service)?, &text).map(drop))
    }
}

impl Reading {
    /// What has been added since.
    pub fn since(mut self, before: &Self) -> Self {
        self.took = self.at.duration_since(before.at);
        self.change(before, 1.0);
        self
    }

    /// Without what would have happened in this time anyway.
    pub fn without(mut self, idle: &Self) -> Self {
        self.change(idle, self.took.as_secs_f64() / idle.took.as_secs_f64());
        self
    }

    fn change(&mut self, less: &Self, times: f64) {
        for (table, rows) in &mut self.tables {
            let other = less.tables.get(table).copied().unwrap_or_default();
            rows.inserted -= other.inserted * times;
            rows.updated -= other.updated * times;
            rows.hot -= other.hot * times;
            rows.deleted -= other.deleted * times;
            rows.read -= other.read * times;
        }
        for (name, count) in &mut self.statements {
            *count -= less.statements.get(name).copied().unwrap_or_default() * times;
        }
        self.commits -= less.commits * times;
        self.rollbacks -= less.rollbacks * times;
        self.wal_bytes -= less.wal_bytes * times;
        self.messages -= less.messages * times;
    }
}

fn query(url: &str, text: &str) -> Result<Vec<Vec<String>>> {
    let output = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--dbname", url, "--command", text])
        .output()
        .context("running psql")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout)?;
    Ok(printed.lines().map(|line| line.split('|').map(str::to_owned).collect()).collect())
}
