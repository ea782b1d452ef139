//! quinn between two processes, both authenticated as in libp2p. The contract is in ../README.md.

mod client;
mod options;
mod server;
mod tls;
mod usage;

use options::{Command, Options};

/// What the first byte of a stream asks of the server.
pub const ECHO: u8 = b'E'; // send everything back
pub const UPLOAD: u8 = b'U'; // count up to FIN, then send the count as a big-endian u64

pub type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() {
    let Some(options) = Options::parse(std::env::args().skip(1)) else {
        eprint!("{}", options::USAGE);
        std::process::exit(2);
    };
    if let Some(cpu) = options.cpu {
        usage::pin(cpu); // before any thread is started
    }
    if let Err(error) = runtime(options.threads).block_on(run(options)) {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

fn runtime(threads: usize) -> tokio::runtime::Runtime {
    let mut builder = match threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    builder
        .worker_threads(threads)
        .enable_all()
        .build()
        .expect("a runtime")
}

async fn run(options: Options) -> Result<(), Error> {
    match &options.command {
        Command::Server => server::run(&options).await,
        Command::Client { address, case } => client::run(*address, *case, &options).await,
    }
}

/// Resolves when stdin ends.
pub async fn stdin_ended() {
    let mut stdin = tokio::io::stdin();
    let _ = tokio::io::copy(&mut stdin, &mut tokio::io::sink()).await;
}
