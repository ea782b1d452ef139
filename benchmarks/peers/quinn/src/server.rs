use quinn::{Connection, Endpoint, Incoming, RecvStream, SendStream};

use crate::options::Options;
use crate::{ECHO, Error, UPLOAD, stdin_ended, tls, usage};

const READ_BYTES: usize = 64 * 1024;

pub async fn run(_: &Options) -> Result<(), Error> {
    let endpoint = Endpoint::server(tls::server_config()?, "127.0.0.1:0".parse()?)?;
    println!(
        r#"{{"peer":"quinn","event":"listening","address":"{}"}}"#,
        endpoint.local_addr()?
    );
    tokio::select! {
        () = accept(&endpoint) => {}
        () = stdin_ended() => {}
    }
    println!(
        r#"{{"peer":"quinn","event":"done","cpu_s":{:.6}}}"#,
        usage::cpu_s()
    );
    Ok(())
}

async fn accept(endpoint: &Endpoint) {
    while let Some(incoming) = endpoint.accept().await {
        tokio::spawn(serve_incoming(incoming));
    }
}

async fn serve_incoming(incoming: Incoming) {
    if let Ok(connection) = incoming.await {
        serve_connection(connection).await;
    }
}

async fn serve_connection(connection: Connection) {
    while let Ok((send, receive)) = connection.accept_bi().await {
        tokio::spawn(async move {
            if let Err(error) = serve_stream(send, receive).await {
                eprintln!("stream: {error}");
            }
        });
    }
}

async fn serve_stream(mut send: SendStream, mut receive: RecvStream) -> Result<(), Error> {
    let mut kind = [0];
    receive.read_exact(&mut kind).await?;
    match kind[0] {
        ECHO => {
            while let Some(chunk) = receive.read_chunk(READ_BYTES, true).await? {
                send.write_chunk(chunk.bytes).await?;
            }
        }
        UPLOAD => {
            let mut count = 0;
            while let Some(chunk) = receive.read_chunk(READ_BYTES, true).await? {
                count += chunk.bytes.len() as u64;
            }
            send.write_all(&count.to_be_bytes()).await?;
        }
        other => return Err(format!("unknown kind {other}").into()),
    }
    send.finish()?;
    Ok(())
}
