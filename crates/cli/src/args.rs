//! The command line: what can be said, and what it means. Nothing is done here.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Billing between your app and its payment provider: plans, limits, credits.
#[derive(Debug, Parser)]
#[command(name = "farthing", version, disable_version_flag = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done, 1 failed, 2 usage, 3 changes pending, 4 findings, \
                        5 confirmation needed.\nStart with: farthing dev")]
pub struct Cli {
    /// What every command understands.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command understands.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// Answer in JSON, one document per line
    #[arg(long, global = true)]
    pub json: bool,
    /// The directory of the development server
    #[arg(long, global = true, value_name = "DIR", default_value = ".farthing")]
    pub data: PathBuf,
    /// The server to talk to, instead of the development server
    #[arg(long, global = true, value_name = "URL", env = "FARTHING_API")]
    pub api: Option<String>,
    /// The API key for that server
    #[arg(long, global = true, value_name = "KEY", env = "FARTHING_KEY", hide_env_values = true)]
    pub key: Option<String>,
    /// The database to work on, instead of the development server's: sqlite:PATH or postgres://…
    #[arg(long, global = true, value_name = "URL", hide_env_values = true)]
    pub database: Option<String>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start everything on this machine: API, database, sandbox, sample catalog
    Dev(Dev),
    /// Write a catalog to start from
    Init(Init),
    /// Run in production; configured by environment variables
    Serve(Serve),
    /// Look for what is wrong with the setup; each finding with a fix
    Doctor {
        /// Make the webhook endpoint at Stripe, or make it right
        #[arg(long)]
        fix: bool,
    },
    /// Ask every invariant of the live database; read-only
    Check,
    /// Play years of customers and faults through a catalog in memory; ends with 4 on findings
    Simulate(Simulate),
    /// Check, compare and apply the catalog file
    #[command(subcommand)]
    Catalog(Catalog),
    /// Look at customers
    #[command(subcommand)]
    Customers(Customers),
    /// Take units of a feature for a customer; ends with 1 when it is refused
    Consume(Amount),
    /// Give held units of a feature back
    Release(Amount),
    /// Look at or move the sandbox's clock
    #[command(subcommand)]
    Clock(Clock),
    /// Look at what the payment provider has told us
    #[command(subcommand)]
    Events(Events),
    /// Compare everything with the payment provider; ends with 4 if something differs
    Reconcile(Reconcile),
    /// List refunds, and decide about those that wait for a person
    #[command(subcommand)]
    Refunds(Refunds),
    /// Make, list and revoke API keys
    #[command(subcommand)]
    Keys(Keys),
    /// Let people into the admin panel; makes one-time links, directly in the database
    #[command(subcommand)]
    Admin(Admin),
    /// Look after the database
    #[command(subcommand)]
    Db(Db),
    /// Print the description of the HTTP API
    Openapi,
    /// Print what a shell needs to complete commands
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the version
    Version,
}

/// `farthing dev`.
#[derive(Clone, Debug, Args)]
pub struct Dev {
    /// The port on this machine; 0 takes any that is free
    #[arg(long, default_value_t = 8787)]
    pub port: u16,
    /// Fill an empty directory with a year of a lively business
    #[arg(long)]
    pub demo: bool,
}

/// `farthing simulate`.
#[derive(Clone, Debug, Args)]
pub struct Simulate {
    /// What everything follows from; the same seed is the same history
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How many years pass
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=20))]
    pub years: u16,
    /// How many days pass, instead of years
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=7300), conflicts_with = "years")]
    pub days: Option<u16>,
    /// Go on with further seeds for so many minutes, on every core
    #[arg(long)]
    pub minutes: Option<u16>,
    /// How many customers sign up
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub customers: u16,
    /// The catalog file [default: the sample]
    #[arg(long, value_name = "FILE")]
    pub catalog: Option<PathBuf>,
    /// Nothing goes wrong
    #[arg(long)]
    pub calm: bool,
    /// Play only these items of the script: what a failure was shortened to
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    pub keep: Option<Vec<usize>>,
}

/// `farthing init`.
#[derive(Clone, Debug, Args)]
pub struct Init {
    /// What kind of product
    #[arg(long, value_enum, default_value_t = Template::Saas)]
    pub template: Template,
    /// Where to write it
    #[arg(default_value = "catalog.toml")]
    pub file: PathBuf,
    /// Overwrite a file that is there
    #[arg(long)]
    pub force: bool,
}

/// What kind of product a catalog is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Template {
    /// Tiers with limits, credits and packs; every part of the format
    Saas,
    /// Credits as the product
    AiCredits,
    /// Workspaces of a few sizes
    Seats,
}

/// `farthing serve`.
#[derive(Clone, Debug, Args)]
pub struct Serve {
    /// Run the migrations that are missing first
    #[arg(long)]
    pub migrate: bool,
}

/// `farthing catalog`.
#[derive(Debug, Subcommand)]
pub enum Catalog {
    /// Tell every mistake in the file, and what to write instead; ends with 4 if there are any
    Check {
        /// The file [default: catalog.toml of the development server, or in this directory]
        file: Option<PathBuf>,
    },
    /// Tell what applying the file would change; ends with 3 if there is anything
    Plan {
        /// The file
        file: Option<PathBuf>,
    },
    /// Make the file the catalog in force
    Apply {
        /// The file
        file: Option<PathBuf>,
        /// Do it without asking
        #[arg(long)]
        yes: bool,
    },
    /// Print the catalog in force
    Show,
}

/// `farthing customers`.
#[derive(Debug, Subcommand)]
pub enum Customers {
    /// List customers
    List {
        /// Only those with this in their id, e-mail address or name
        #[arg(long)]
        search: Option<String>,
        /// How many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
    },
    /// Show what a customer has and may use
    Show {
        /// The app's own id
        customer: String,
    },
    /// Show what happened to a customer, the newest first
    Timeline {
        /// The app's own id
        customer: String,
        /// How many entries
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
    },
    /// Make a link to a customer's billing page: it opens once, within 15 minutes
    Link {
        /// The app's own id
        customer: String,
        /// Where on the app's site the page leads back to
        #[arg(long)]
        return_path: Option<String>,
        /// The page shows everything and changes nothing
        #[arg(long)]
        read_only: bool,
    },
}

/// `farthing consume` and `farthing release`.
#[derive(Clone, Debug, Args)]
pub struct Amount {
    /// The app's own id
    pub customer: String,
    /// The feature's key
    pub feature: String,
    /// How many
    #[arg(default_value_t = 1)]
    pub amount: i64,
}

/// `farthing clock`.
#[derive(Debug, Subcommand)]
pub enum Clock {
    /// Show the sandbox's time
    Show,
    /// Move it ahead
    Advance {
        /// How far: 31d, 12h, 1d12h
        by: String,
    },
    /// Move it ahead to a day or an instant
    To {
        /// 2027-01-31 or 2027-01-31T12:00:00Z
        date: String,
    },
}

/// `farthing events`.
#[derive(Debug, Subcommand)]
pub enum Events {
    /// List them, the newest first
    List {
        /// Only those that are received, done, ignored, quarantined or dead
        #[arg(long)]
        state: Option<String>,
        /// How many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
    },
    /// Show one
    Show {
        /// Our id of it: evt_…
        id: String,
    },
    /// Handle one again; what has had its effect has none again
    Replay {
        /// Our id of it: evt_…
        id: String,
    },
    /// Print them as they come, until interrupted
    Tail,
}

/// `farthing reconcile`.
#[derive(Clone, Debug, Args)]
pub struct Reconcile {
    /// Repair what can be repaired; without it nothing is changed
    #[arg(long)]
    pub fix: bool,
    /// Only this customer, by the app's own id
    #[arg(long, value_name = "ID")]
    pub customer: Option<String>,
}

/// `farthing keys`.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Make a key; it is shown once
    Create {
        /// What uses it
        name: String,
        /// What it may be used for
        #[arg(long, value_enum, default_value_t = KeyScope::Full)]
        scope: KeyScope,
    },
    /// List all keys, without their secrets
    List,
    /// End a key for good; running servers stop taking it within five seconds
    Revoke {
        /// Its id: key_…
        id: String,
    },
}

/// What a key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KeyScope {
    /// Everything
    Full,
    /// Reading
    Read,
    /// Checking and consuming
    Usage,
}

/// `farthing admin`.
#[derive(Debug, Subcommand)]
pub enum Admin {
    /// Make a link for the first owner, or into a development server
    Link,
    /// Make a link for somebody who is to come in
    Invite {
        /// Their e-mail address
        email: String,
        /// What they may do
        #[arg(long, value_enum, default_value_t = AdminRole::Viewer)]
        role: AdminRole,
    },
    /// Take somebody's second factor and sessions away, and make a link for a new password
    Reset {
        /// Their e-mail address
        email: String,
    },
}

/// What somebody may do in the admin panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AdminRole {
    /// Everything, and who else may come in
    Owner,
    /// Money: refunds and disputes
    Finance,
    /// Customers: notes, exceptions, asking for refunds
    Support,
    /// Keys, catalog, events
    Developer,
    /// Looking
    Viewer,
}

/// `farthing db`.
#[derive(Debug, Subcommand)]
pub enum Db {
    /// Run the migrations that are missing
    Migrate,
}

/// `farthing refunds`.
#[derive(Clone, Debug, Subcommand)]
pub enum Refunds {
    /// List them, the newest first
    List {
        /// Only those that are needs_review, sent, waiting, succeeded, rejected or failed
        #[arg(long)]
        state: Option<String>,
        /// Only those of this customer, by the app's own id
        #[arg(long)]
        customer: Option<String>,
        /// How many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
    },
    /// Agree to one: the money goes back
    Approve {
        /// Our id of it: rfd_…
        id: String,
        /// Do it; without this it is only shown
        #[arg(long)]
        yes: bool,
    },
    /// Say no to one
    Reject {
        /// Our id of it: rfd_…
        id: String,
        /// Why not, for the customer and the timeline
        #[arg(long)]
        reason: String,
    },
}
