use std::net::SocketAddr;

pub const USAGE: &str = "usage: quinn_peer server [--threads 1] [--cpu N]
       quinn_peer client IP:PORT bulk     [--bytes 1073741824]
       quinn_peer client IP:PORT pingpong [--size 64] [--rounds 20000] [--depth 1]
       quinn_peer client IP:PORT connect  [--count 500] [--parallel 1]
       quinn_peer client IP:PORT idle     [--count 200]
       each with [--threads 1] [--cpu N] [--cipher aes128|aes256|chacha20]
";

#[derive(Clone, Copy)]
pub enum Case {
    Bulk,
    PingPong,
    Connect,
    Idle,
}

#[derive(Clone, Copy)]
pub enum Cipher {
    Aes128,
    Aes256,
    ChaCha20,
}

pub enum Command {
    Server,
    Client { address: SocketAddr, case: Case },
}

pub struct Options {
    pub command: Command,
    pub bytes: u64,
    pub size: usize,
    pub rounds: usize,
    pub depth: usize,
    pub count: usize,
    pub parallel: usize,
    pub threads: usize,
    pub cpu: Option<usize>,
    pub cipher: Cipher,
}

impl Options {
    pub fn parse(mut words: impl Iterator<Item = String>) -> Option<Options> {
        let command = match words.next()?.as_str() {
            "server" => Command::Server,
            "client" => Command::Client {
                address: words.next()?.parse().ok()?,
                case: Case::parse(&words.next()?)?,
            },
            _ => return None,
        };
        let mut options = Options {
            command,
            bytes: 1 << 30,
            size: 64,
            rounds: 20_000,
            depth: 1,
            count: 0,
            parallel: 1,
            threads: 1,
            cpu: None,
            cipher: Cipher::Aes128,
        };
        while let Some(name) = words.next() {
            options.set(&name, &words.next()?)?;
        }
        let positive = [
            options.size,
            options.rounds,
            options.depth,
            options.parallel,
            options.threads,
        ];
        positive.iter().all(|value| *value > 0).then_some(options)
    }

    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "--bytes" => self.bytes = value.parse().ok()?,
            "--size" => self.size = value.parse().ok()?,
            "--rounds" => self.rounds = value.parse().ok()?,
            "--depth" => self.depth = value.parse().ok()?,
            "--count" => self.count = value.parse().ok()?,
            "--parallel" => self.parallel = value.parse().ok()?,
            "--threads" => self.threads = value.parse().ok()?,
            "--cpu" => self.cpu = Some(value.parse().ok()?),
            "--cipher" => self.cipher = Cipher::parse(value)?,
            _ => return None,
        }
        Some(())
    }

    /// --count, or else the case's default.
    pub fn count_or(&self, count_default: usize) -> usize {
        if self.count == 0 {
            count_default
        } else {
            self.count
        }
    }
}

impl Case {
    fn parse(word: &str) -> Option<Case> {
        match word {
            "bulk" => Some(Case::Bulk),
            "pingpong" => Some(Case::PingPong),
            "connect" => Some(Case::Connect),
            "idle" => Some(Case::Idle),
            _ => None,
        }
    }
}

impl Cipher {
    fn parse(word: &str) -> Option<Cipher> {
        match word {
            "aes128" => Some(Cipher::Aes128),
            "aes256" => Some(Cipher::Aes256),
            "chacha20" => Some(Cipher::ChaCha20),
            _ => None,
        }
    }
}
