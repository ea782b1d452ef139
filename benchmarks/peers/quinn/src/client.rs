use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use quinn::{Connection, Endpoint, RecvStream, SendStream};

use crate::options::{Case, Options};
use crate::{ECHO, Error, UPLOAD, stdin_ended, tls, usage};

const WRITE_BYTES: usize = 64 * 1024;
const WARM_UP_ROUNDS: usize = 200;

pub async fn run(address: SocketAddr, case: Case, options: &Options) -> Result<(), Error> {
    let mut endpoint = Endpoint::client("127.0.0.1:0".parse()?)?;
    endpoint.set_default_client_config(tls::client_config(options.cipher)?);
    let open = match case {
        Case::Bulk => bulk(&endpoint, address, options).await?,
        Case::PingPong => ping_pong(&endpoint, address, options).await?,
        Case::Connect => connect(&endpoint, address, options).await?,
        Case::Idle => idle(&endpoint, address, options).await?,
    };
    stdin_ended().await;
    drop(open);
    endpoint.close(0u32.into(), b"");
    endpoint.wait_idle().await;
    Ok(())
}

// Each case prints its line and gives the connections that stay open until stdin ends.

async fn dial(endpoint: &Endpoint, address: SocketAddr) -> Result<Connection, Error> {
    Ok(endpoint.connect(address, "p2pagents")?.await?)
}

/// One stream, written in 64 KiB pieces; done when the server has told its count.
async fn bulk(
    endpoint: &Endpoint,
    address: SocketAddr,
    options: &Options,
) -> Result<Vec<Connection>, Error> {
    let connection = dial(endpoint, address).await?;
    let (mut send, mut receive) = connection.open_bi().await?;
    let piece = [0; WRITE_BYTES];
    let cpu_before_s = usage::cpu_s();
    let start = Instant::now();
    send.write_all(&[UPLOAD]).await?;
    let mut left = options.bytes;
    while left > 0 {
        let count = left.min(WRITE_BYTES as u64);
        send.write_all(&piece[..count as usize]).await?;
        left -= count;
    }
    send.finish()?;
    let mut counted = [0; 8];
    receive.read_exact(&mut counted).await?;
    let seconds = start.elapsed().as_secs_f64();
    if u64::from_be_bytes(counted) != options.bytes {
        return Err("the server counted other bytes".into());
    }
    println!(
        r#"{{"peer":"quinn","case":"bulk","bytes":{},"seconds":{seconds:.6},"gbit_s":{:.3},"cpu_s":{:.6}}}"#,
        options.bytes,
        options.bytes as f64 * 8e-9 / seconds,
        usage::cpu_s() - cpu_before_s
    );
    Ok(vec![connection])
}

/// Messages of one size on one open stream, so many in flight.
async fn ping_pong(
    endpoint: &Endpoint,
    address: SocketAddr,
    options: &Options,
) -> Result<Vec<Connection>, Error> {
    let connection = dial(endpoint, address).await?;
    let (mut send, mut receive) = connection.open_bi().await?;
    send.write_all(&[ECHO]).await?;
    exchange(&mut send, &mut receive, options.size, WARM_UP_ROUNDS, 1).await?;

    let cpu_before_s = usage::cpu_s();
    let start = Instant::now();
    let times = exchange(
        &mut send,
        &mut receive,
        options.size,
        options.rounds,
        options.depth,
    )
    .await?;
    let seconds = start.elapsed().as_secs_f64();
    send.finish()?;
    receive.read_to_end(0).await?;
    let (p50_us, p99_us) = percentiles_us(times);
    println!(
        r#"{{"peer":"quinn","case":"pingpong","size":{},"rounds":{},"depth":{},"p50_us":{p50_us:.2},"p99_us":{p99_us:.2},"per_s":{:.1},"seconds":{seconds:.6},"cpu_s":{:.6}}}"#,
        options.size,
        options.rounds,
        options.depth,
        options.rounds as f64 / seconds,
        usage::cpu_s() - cpu_before_s
    );
    Ok(vec![connection])
}

async fn exchange(
    send: &mut SendStream,
    receive: &mut RecvStream,
    size: usize,
    rounds: usize,
    depth: usize,
) -> Result<Vec<Duration>, Error> {
    let message = vec![7; size];
    let mut answer = vec![0; size];
    let mut starts = VecDeque::with_capacity(depth);
    let mut times = Vec::with_capacity(rounds);
    let mut sent = 0;
    while times.len() < rounds {
        while sent < rounds && starts.len() < depth {
            starts.push_back(Instant::now());
            send.write_all(&message).await?;
            sent += 1;
        }
        receive.read_exact(&mut answer).await?;
        times.push(starts.pop_front().expect("one is in flight").elapsed());
    }
    Ok(times)
}

/// Connections, each with one byte echoed, then closed.
async fn connect(
    endpoint: &Endpoint,
    address: SocketAddr,
    options: &Options,
) -> Result<Vec<Connection>, Error> {
    let count = options.count_or(500);
    let started = Arc::new(AtomicUsize::new(0));
    let cpu_before_s = usage::cpu_s();
    let start = Instant::now();
    let mut workers = Vec::new();
    for _ in 0..options.parallel {
        let (endpoint, started) = (endpoint.clone(), started.clone());
        workers.push(tokio::spawn(async move {
            let mut times = Vec::new();
            while started.fetch_add(1, Ordering::Relaxed) < count {
                let start = Instant::now();
                let connection = dial(&endpoint, address).await?;
                let handshake = start.elapsed();
                echo_byte(&connection).await?;
                times.push((handshake, start.elapsed()));
                connection.close(0u32.into(), b"");
            }
            Ok::<_, Error>(times)
        }));
    }
    let mut times = Vec::new();
    for worker in workers {
        times.extend(worker.await??);
    }
    let seconds = start.elapsed().as_secs_f64();
    let (handshakes, answers): (Vec<_>, Vec<_>) = times.into_iter().unzip();
    let (handshake_p50_us, handshake_p99_us) = percentiles_us(handshakes);
    let (p50_us, p99_us) = percentiles_us(answers);
    println!(
        r#"{{"peer":"quinn","case":"connect","count":{count},"parallel":{},"handshake_p50_us":{handshake_p50_us:.2},"handshake_p99_us":{handshake_p99_us:.2},"p50_us":{p50_us:.2},"p99_us":{p99_us:.2},"per_s":{:.1},"seconds":{seconds:.6},"cpu_s":{:.6}}}"#,
        options.parallel,
        count as f64 / seconds,
        usage::cpu_s() - cpu_before_s
    );
    Ok(vec![])
}

/// Connections that have been used once and are then left open.
async fn idle(
    endpoint: &Endpoint,
    address: SocketAddr,
    options: &Options,
) -> Result<Vec<Connection>, Error> {
    let count = options.count_or(200);
    let mut connections = vec![dial(endpoint, address).await?];
    echo_byte(&connections[0]).await?;
    let rss_before_kib = usage::rss_kib();
    while connections.len() <= count {
        let connection = dial(endpoint, address).await?;
        echo_byte(&connection).await?;
        connections.push(connection);
    }
    let rss_after_kib = usage::rss_kib();
    println!(
        r#"{{"peer":"quinn","case":"idle","count":{count},"rss_before_kib":{rss_before_kib},"rss_after_kib":{rss_after_kib},"kib_each":{:.2}}}"#,
        (rss_after_kib - rss_before_kib) as f64 / count as f64
    );
    Ok(connections)
}

async fn echo_byte(connection: &Connection) -> Result<(), Error> {
    let (mut send, mut receive) = connection.open_bi().await?;
    send.write_all(&[ECHO, 7]).await?;
    send.finish()?;
    let answer = receive.read_to_end(8).await?;
    if answer == [7] {
        Ok(())
    } else {
        Err("another byte came back".into())
    }
}

fn percentiles_us(mut times: Vec<Duration>) -> (f64, f64) {
    times.sort();
    let at = |percent: usize| times[times.len() * percent / 100].as_secs_f64() * 1e6;
    (at(50), at(99))
}
