/* p2pagents: a peer-to-peer node for agents, behind a stable C ABI. C99.
 *
 * One node is one identity with its connections, what it serves and what it asks of others. It
 * speaks libp2p over QUIC and TCP. The library starts no thread, reads no environment variable and
 * writes to no stream unless it is asked to.
 *
 * The shape of a program
 *
 *     p2pa_node_open(&options, &node, NULL);
 *     p2pa_node_serve(node, "echo", 4, P2PA_SERVE_UNARY);
 *     while (p2pa_node_wait_event(node, -1, &event) >= 0) {
 *       if (event.kind == P2PA_EVENT_REQUEST) p2pa_call_reply(event.call, event.data.data, event.data.size);
 *       p2pa_event_release(&event);
 *     }
 *     p2pa_node_free(node);
 *
 * Status
 *   Functions return int32_t: P2PA_OK (0), a negative P2PA_E_*, or a positive number that informs
 *   (it is described where it can occur). Test for `< 0`. No function throws, aborts or exits.
 *   Any function may answer these, which are not repeated below:
 *     P2PA_E_INVALID_ARGUMENT  a required pointer is NULL, a length or value can never work
 *     P2PA_E_STALE_HANDLE      the handle's object is gone, or it never was one of this library's
 *     P2PA_E_OUT_OF_MEMORY     nothing was changed
 *     P2PA_E_INTERNAL          a bug of ours, contained; the node is unusable, free it
 *
 * Handles
 *   64-bit values in one-field structs; 0 is never a valid one. No value is used twice in a process,
 *   so a stale handle is an error and never somebody else's object. Copy them freely.
 *
 * Threads
 *   "Thread: any" functions may be called from any thread at any time, also from inside a callback.
 *   "Thread: owner" functions run the node: one thread at a time may be inside one of them, another
 *   is told P2PA_E_WRONG_THREAD, as is a call from inside a callback. It need not always be the same
 *   thread. "Thread: any, waits" functions read the running node; while another thread runs the
 *   node they wait for it to finish its turn, so hold no lock that your event callback takes.
 *   They are P2PA_E_WRONG_THREAD inside a log or a release callback.
 *
 * Asking for work
 *   Functions that begin work only queue it: nothing happens inside the call that asked, it happens
 *   in the node's next turn (inside p2pa_node_poll, p2pa_node_wait_event or on the library's thread).
 *   So polling and the library's thread give the same events. A call that fails gives no
 *   completion. One that was accepted gives exactly one event with its `op`, also when it is
 *   cancelled or the node closes. P2PA_E_WOULD_BLOCK says that a bound is reached and nothing was
 *   taken: release events, or wait for the matching WRITABLE event, and try again. What could never
 *   be taken, payload over memory_max, is P2PA_E_MESSAGE_TOO_LARGE instead.
 *
 * Processes
 *   A node belongs to the process that opened it: a forked child must not use or free its parent's
 *   nodes, nor what they lent. It may open nodes of its own.
 *
 * Callbacks
 *   A triple: function, ctx, and a drop function called exactly once with ctx after the last call
 *   (also when the function that took the triple fails; NULL is allowed). No lock of the library is
 *   held during a callback; two never run in parallel for one node; a callback may call every
 *   function that its thread rule allows. Ignore event kinds you do not know: new ones will come.
 *   Unwinding out of a callback (C++ exceptions, longjmp) is undefined.
 *
 * Strings and bytes
 *   In: pointer and length, copied during the call; NULL with length 0 is empty. Text is UTF-8. What
 *   the library lends is also NUL-terminated. Out: buffer and in/out size. With a NULL or too small
 *   buffer the answer is P2PA_E_BUFFER_TOO_SMALL and *size is what is needed; otherwise *size is what
 *   was written. Text written so has a NUL, which *size counts going in and not coming out.
 *
 * Structs
 *   Each begins with struct_size, the size the caller was compiled with; the ..._init functions set
 *   it and zero the rest. Zero means "default" in every field. Structs are only appended to. One that
 *   is read is at most 4096 bytes large: more is P2PA_E_INVALID_ARGUMENT, a struct without ..._init.
 *
 * Functions are marked "Since" with the version that brought them; tests/abi/functions.txt has the
 * stability of each.
 */
#ifndef P2PAGENTS_H
#define P2PAGENTS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(_WIN32)
#  if defined(P2PA_BUILDING)
#    define P2PA_API __declspec(dllexport)
#  else
#    define P2PA_API __declspec(dllimport)
#  endif
#else
#  define P2PA_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
#  define P2PA_NOEXCEPT noexcept
extern "C" {
#else
#  define P2PA_NOEXCEPT
#endif

/* ---- Version ------------------------------------------------------------------------------- */

#define P2PA_VERSION_MAJOR 0
#define P2PA_VERSION_MINOR 1
#define P2PA_VERSION_PATCH 0
/* The binary promise. Major: something was taken away or changed. Minor: something was added. */
#define P2PA_ABI_MAJOR 0
#define P2PA_ABI_MINOR 1

/* "0.1.0", of the library that is loaded. Static text, never NULL. Thread: any. Since 0.1. */
P2PA_API const char *p2pa_version(void) P2PA_NOEXCEPT;

/* The ABI of the library that is loaded. A program works with it when the majors are equal and the
 * library's minor is not below its own. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_abi_version(uint32_t *major, uint32_t *minor) P2PA_NOEXCEPT;

/* ---- Status -------------------------------------------------------------------------------- */

#define P2PA_OK 0
#define P2PA_NONE 1 /* there was nothing to give; not an error */

/* General */
#define P2PA_E_INVALID_ARGUMENT (-1)
#define P2PA_E_INVALID_STATE (-2)    /* not now: closed, not started, already done */
#define P2PA_E_NOT_FOUND (-3)
#define P2PA_E_TIMEOUT (-4)
#define P2PA_E_CANCELLED (-5)
#define P2PA_E_WOULD_BLOCK (-6)      /* nothing was taken; see "Asking for work" */
#define P2PA_E_OUT_OF_MEMORY (-7)
#define P2PA_E_BUFFER_TOO_SMALL (-8)
#define P2PA_E_UNSUPPORTED (-9)
#define P2PA_E_IO (-10)              /* the operating system refused; detail: errno */
#define P2PA_E_MALFORMED (-11)
#define P2PA_E_INTERNAL (-12)
#define P2PA_E_CLOSED (-13)
#define P2PA_E_STALE_HANDLE (-14)
#define P2PA_E_WRONG_THREAD (-15)
/* Dialing and connections */
#define P2PA_E_UNREACHABLE (-100)    /* no address answered; detail: how many were tried */
#define P2PA_E_NO_ADDRESS (-101)     /* nothing dialable is known for the peer */
#define P2PA_E_PEER_ID_MISMATCH (-102)
#define P2PA_E_HANDSHAKE (-103)      /* detail: QUIC or TLS code */
#define P2PA_E_CONNECTION_LOST (-104)
#define P2PA_E_CONNECTION_CLOSED (-105) /* by the peer; detail: its code */
#define P2PA_E_REFUSED (-106)
#define P2PA_E_PROTOCOL_VIOLATION (-107)
#define P2PA_E_UNRESOLVED (-108)     /* the name in an address stands for no address */
#define P2PA_E_GATED (-110)          /* a rule of this node forbids it */
/* Streams */
#define P2PA_E_STREAM_RESET (-200)   /* detail: the peer's code */
#define P2PA_E_PROTOCOL_UNSUPPORTED (-201)
#define P2PA_E_NEGOTIATION (-202)
#define P2PA_E_STREAM_FINISHED (-203)
#define P2PA_E_MESSAGE_TOO_LARGE (-204) /* detail: the bound in bytes */
/* Calls */
#define P2PA_E_APPLICATION (-300)    /* the method's own error: application_code, text, data */
#define P2PA_E_NO_SUCH_METHOD (-301)
#define P2PA_E_DEADLINE_EXCEEDED (-302)
#define P2PA_E_TRUNCATED (-303)
/* Identity */
#define P2PA_E_BAD_KEY (-400)
#define P2PA_E_BAD_SIGNATURE (-401)
#define P2PA_E_BAD_CERTIFICATE (-402)
#define P2PA_E_BAD_KEY_FILE (-403)
/* Limits; detail: the bound */
#define P2PA_E_LIMIT_CONNECTIONS (-500)
#define P2PA_E_LIMIT_STREAMS (-501)
#define P2PA_E_LIMIT_MEMORY (-502)
#define P2PA_E_LIMIT_HANDSHAKES (-503)
#define P2PA_E_LIMIT_CALLS (-504)
#define P2PA_E_LIMIT_PEER (-505)
#define P2PA_E_LIMIT_IP (-506)
#define P2PA_E_RATE_LIMITED (-507)

/* The symbol of a status in lower case without its prefix, "peer_id_mismatch"; "unknown" for a
 * number that is none. Static text, never NULL. Thread: any. Since 0.1. */
P2PA_API const char *p2pa_status_name(int32_t status) P2PA_NOEXCEPT;

/* One sentence for people about a status. Static text, never NULL. Thread: any. Since 0.1. */
P2PA_API const char *p2pa_status_text(int32_t status) P2PA_NOEXCEPT;

/* What exactly went wrong, for functions that can say more than a status. Filled only on failure;
 * NULL may be passed instead. */
typedef struct p2pa_error_info {
  uint32_t struct_size;
  int32_t code;    /* the status that was returned */
  uint64_t detail; /* the number that belongs to it, 0 without one */
  char text[240];  /* a sentence, NUL-terminated, cut when too long */
} p2pa_error_info;

static inline void p2pa_error_info_init(p2pa_error_info *info) {
  memset(info, 0, sizeof *info);
  info->struct_size = (uint32_t)sizeof *info;
}

/* ---- Values -------------------------------------------------------------------------------- */

typedef struct p2pa_node { uint64_t v; } p2pa_node;     /* a node */
typedef struct p2pa_op { uint64_t v; } p2pa_op;         /* work that completes with one event */
typedef struct p2pa_call { uint64_t v; } p2pa_call;     /* one call, seen from either end */
typedef struct p2pa_stream { uint64_t v; } p2pa_stream; /* one raw stream */
typedef struct p2pa_channel { uint64_t v; } p2pa_channel; /* the sending end of a channel of messages */

/* The name of a peer: the hash of its public key. A value of fixed size, equal when all its bytes
 * are (memcmp). All zero: nobody. */
typedef struct p2pa_peer {
  uint8_t size;      /* of the multihash */
  uint8_t bytes[47]; /* the multihash; the rest is zero */
} p2pa_peer;

typedef struct p2pa_bytes { const uint8_t *data; size_t size; } p2pa_bytes; /* lent */
typedef struct p2pa_text { const char *data; size_t size; } p2pa_text;      /* lent */

/* Reads a peer id from its text, base58 ("12D3KooW...", "Qm...") or CID ("bafz...").
 * P2PA_E_MALFORMED: it is neither. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_peer_parse(const char *text, size_t text_size, p2pa_peer *peer) P2PA_NOEXCEPT;

/* Writes a peer id as base58 text. P2PA_E_BUFFER_TOO_SMALL; 64 bytes are always enough.
 * P2PA_E_MALFORMED: not a peer id. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_peer_text(const p2pa_peer *peer, char *buffer, size_t *size) P2PA_NOEXCEPT;

/* The peer that an address names, "/ip4/192.0.2.1/udp/4001/quic-v1/p2p/12D3KooW...".
 * P2PA_E_MALFORMED: no multiaddr. P2PA_E_NOT_FOUND: it names nobody. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_address_peer(const char *address, size_t address_size,
                                   p2pa_peer *peer) P2PA_NOEXCEPT;

/* A fresh private key (libp2p's PrivateKey protobuf, Ed25519) from the system's entropy. It is the
 * caller's to keep secret and to wipe. P2PA_E_BUFFER_TOO_SMALL; 128 bytes are always enough.
 * Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_key_generate(uint8_t *buffer, size_t *size) P2PA_NOEXCEPT;

/* The peer id that belongs to a private key (protobuf, or a seed of exactly 32 bytes).
 * P2PA_E_BAD_KEY. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_key_peer(const uint8_t *key, size_t key_size, p2pa_peer *peer) P2PA_NOEXCEPT;

/* ---- Opening a node ------------------------------------------------------------------------ */

/* The bounds of a node; 0 in a field: its default. What is over one is refused and counted. */
typedef struct p2pa_limits {
  uint32_t struct_size;
  uint32_t connections_max;
  uint32_t connections_per_peer_max;
  uint32_t connections_per_ip_max;
  uint32_t handshakes_max;
  uint32_t handshakes_per_ip_max;
  uint32_t streams_max;
  uint32_t streams_per_peer_max;
  uint32_t streams_inbound_per_connection_max;
  uint32_t calls_max;
  uint32_t calls_per_peer_max;
  uint32_t events_max;         /* events promised, waiting or lent; peers take at most 7/8 of them. At least 16 */
  uint64_t memory_max;         /* bytes of buffered payload */
  uint64_t memory_per_peer_max;
  uint64_t message_bytes_max;  /* one message of a call */
  uint64_t stream_window;      /* bytes a peer may send ahead, a stream */
  uint64_t connection_window;  /* and a connection */
  uint64_t send_buffer_max;    /* unacknowledged bytes we keep, a stream */
  uint32_t streams_per_ip_max; /* an IPv6 /64 counts as one address, loopback is free */
  uint32_t calls_per_ip_max;
  uint64_t memory_per_ip_max;
} p2pa_limits;

static inline void p2pa_limits_init(p2pa_limits *limits) {
  memset(limits, 0, sizeof *limits);
  limits->struct_size = (uint32_t)sizeof *limits;
}

#define P2PA_LOG_ERROR 1
#define P2PA_LOG_WARNING 2
#define P2PA_LOG_INFO 3
#define P2PA_LOG_DEBUG 4
#define P2PA_LOG_TRACE 5

typedef struct p2pa_log_record {
  uint32_t struct_size;
  uint32_t level;      /* P2PA_LOG_* */
  p2pa_text subsystem; /* "node", "limits", "dial", ...; lent during the call, not NUL-terminated */
  p2pa_text text;      /* likewise */
} p2pa_log_record;

typedef void (*p2pa_log_fn)(void *ctx, const p2pa_log_record *record);
typedef void (*p2pa_drop_fn)(void *ctx);

#define P2PA_CONGESTION_CUBIC 1
#define P2PA_CONGESTION_BBR 2

/* Which private addresses (RFC 1918, 6598, 4193, link-local, loopback) that others told of are dialed. What the
 * host itself gave always is. */
#define P2PA_DIAL_PRIVATE_SAME_SUBNET 1 /* those in a network that one of our interfaces is in */
#define P2PA_DIAL_PRIVATE_ALL 2
#define P2PA_DIAL_PRIVATE_NONE 3

/* What secures TCP and WebSocket, the preferred first; what a peer refuses costs the dial two round trips. QUIC
 * brings its own. */
#define P2PA_SECURITY_NOISE_TLS 1
#define P2PA_SECURITY_TLS_NOISE 2
#define P2PA_SECURITY_NOISE 3
#define P2PA_SECURITY_TLS 4

/* Whom the TLS below WebSocket (/tls/ws) believes when we dial. The peer proves who it is above that. */
#define P2PA_WEB_TRUST_ROOTS 1
#define P2PA_WEB_TRUST_ALL 2

/* In connections_kept_per_peer: all stay. */
#define P2PA_UNLIMITED 4294967295u

typedef struct p2pa_node_options {
  uint32_t struct_size;
  uint32_t serve_perf;         /* 1: answer /perf/1.0.0; anybody may then make us send bytes */
  const uint8_t *key;          /* private key protobuf or 32-byte seed; neither this nor a file: fresh */
  size_t key_size;
  const char *key_file;        /* path; read, or created with mode 0600 when there is none */
  size_t key_file_size;
  const char *listen;          /* multiaddrs, one a line; none: dials only */
  size_t listen_size;
  const char *agent_version;   /* what identify says, at most 255 bytes; none: "p2pagents/<version>" */
  size_t agent_version_size;
  const char *qlog_directory;  /* none: no qlog files */
  size_t qlog_directory_size;
  const p2pa_limits *limits;   /* NULL: defaults */
  int64_t idle_timeout_us;     /* silence after which a connection is lost; 0: 30 s */
  int64_t keep_alive_us;       /* 0: 9.5 s; negative: none */
  int64_t handshake_timeout_us; /* 0: 10 s */
  uint32_t congestion_control; /* P2PA_CONGESTION_*, of QUIC and of sessions over UDP; 0: cubic */
  uint32_t log_level;          /* P2PA_LOG_*; 0: info */
  p2pa_log_fn log;             /* NULL: silent. Called on the thread that runs the node */
  void *log_ctx;
  p2pa_drop_fn log_drop;       /* see "Callbacks" */
  uint32_t dial_private;       /* P2PA_DIAL_PRIVATE_*; 0: same subnet */
  uint32_t security;           /* P2PA_SECURITY_*; 0: Noise, then TLS */
  const char *network_key;     /* the text of a key file (swarm.key): makes the node one of a private network, */
  size_t network_key_size;     /* over TCP and WebSocket only; none: it is of the open one */
  const char *proxy;           /* "http://host:port" or "socks5://host:port", "user:password@" in front of an IP */
  size_t proxy_size;           /* address or "localhost": every dial goes through it, without QUIC; none: none */
  const char *web_certificate_file; /* PEM, for /tls/ws listeners; looked at again every minute */
  size_t web_certificate_file_size;
  const char *web_key_file;    /* PEM, its key */
  size_t web_key_file_size;
  const char *web_roots_file;  /* PEM, of P2PA_WEB_TRUST_ROOTS; none: the system's */
  size_t web_roots_file_size;
  const char *dns_servers;     /* "192.0.2.53", "127.0.0.1:5353", one a line, 8 at most; none: the system's, or */
  size_t dns_servers_size;     /* with a proxy nobody: addresses with names are then unsupported */
  int64_t heartbeat_us;        /* silence after which a near peer is asked whether it lives; 0: 0.7 s; negative: none */
  int64_t grace_us;            /* for new connections over high_water; 0: 20 s; negative: none */
  int64_t idle_close_us;       /* closes connections that nobody uses; 0: they stay */
  uint32_t high_water;         /* connections over which the least valuable close; 0: never */
  uint32_t low_water;          /* until so many are left */
  uint32_t connections_kept_per_peer; /* what is over it closes when it is not in use; 0: 1 */
  uint32_t web_trust;          /* P2PA_WEB_TRUST_*; 0: roots */
  int64_t open_timeout_us;     /* how long a stream or a call waits for the peer to take one more; 0: 10 s */
  const char *lan_application; /* only nodes that say the same here are heard on the local network; at most 255 bytes */
  size_t lan_application_size;
  uint32_t lan_port;           /* of UDP, the same at all; 0: 4010 */
  uint32_t lan_broadcast;      /* 1: over IPv4 to all hosts of a subnet, where multicast does not pass */
} p2pa_node_options;

static inline void p2pa_node_options_init(p2pa_node_options *options) {
  memset(options, 0, sizeof *options);
  options->struct_size = (uint32_t)sizeof *options;
}

/* Opens a node: its sockets at once, its listeners in its first turn (LISTENING or LISTEN_FAILED
 * for each). `options` NULL: all defaults. The caller owns the node and frees it.
 * P2PA_E_UNSUPPORTED: the options are of a newer library and use what this one does not know.
 * P2PA_E_MALFORMED: an address. P2PA_E_BAD_KEY, P2PA_E_BAD_KEY_FILE. P2PA_E_IO: no socket.
 * P2PA_E_LIMIT_MEMORY: 4096 nodes are open in this process. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_node_open(const p2pa_node_options *options, p2pa_node *node,
                                p2pa_error_info *error) P2PA_NOEXCEPT;

/* Starts the orderly end: calls end, what was sent or reported as done is delivered (a peer that
 * acknowledges nothing holds this up for a second, a slow one for half a minute at most), connections
 * close, every operation that is still open completes with P2PA_E_CLOSED, and CLOSED is the last event.
 * Keep running the node until then.
 * Closing twice is fine. Work asked for later fails with P2PA_E_CLOSED. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_node_close(p2pa_node node) P2PA_NOEXCEPT;

/* Frees a node at once, closed or not: stops its thread, ends calls of p2pa_node_wait_event and
 * p2pa_node_poll in other threads (P2PA_E_STALE_HANDLE), forgets the events that wait, takes back
 * what was lent, and calls every drop and release function that is still due. Peers are told
 * nothing that p2pa_node_close did not tell them. Its handles are stale from then on.
 * P2PA_E_WRONG_THREAD: inside a callback of this node. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_node_free(p2pa_node node) P2PA_NOEXCEPT;

/* ---- Running a node ------------------------------------------------------------------------
 * Three ways, with the same events: call p2pa_node_poll now and then (a game's frame); watch the
 * wake-up descriptor and the next deadline in a loop of one's own and poll then; or let the library
 * run a thread. */

/* Works until nothing is left to do now, at most `budget` turns (0: a default), then waits up to
 * `timeout_us` for the network (0: does not wait; negative: without end) unless events wait already.
 * Answers how many events wait. P2PA_E_INVALID_STATE: the library's thread runs the node.
 * P2PA_E_WRONG_THREAD. Thread: owner. Since 0.1. */
P2PA_API int32_t p2pa_node_poll(p2pa_node node, int64_t timeout_us, uint32_t budget) P2PA_NOEXCEPT;

/* A descriptor that is readable when p2pa_node_poll has work. Owned by the node; watch it for
 * reading, do not read it. P2PA_E_INVALID_STATE: the library's thread runs the node.
 * Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_node_wakeup_fd(p2pa_node node, intptr_t *fd) P2PA_NOEXCEPT;

/* In how many microseconds p2pa_node_poll must be called even if the descriptor stays silent; 0:
 * now, -1: not before the descriptor says so. P2PA_E_INVALID_STATE: the library's thread runs the
 * node. Thread: any, waits. Since 0.1. */
P2PA_API int32_t p2pa_node_next_deadline(p2pa_node node, int64_t *in_us) P2PA_NOEXCEPT;

/* Runs the node on a thread of the library (all signals blocked) until p2pa_node_stop_thread or
 * p2pa_node_free. P2PA_E_INVALID_STATE: it runs already. P2PA_E_WRONG_THREAD: another thread polls.
 * P2PA_E_IO: no thread. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_node_start_thread(p2pa_node node) P2PA_NOEXCEPT;

/* Ends and joins the library's thread; the node may be polled again. P2PA_E_INVALID_STATE: none
 * runs. P2PA_E_WRONG_THREAD: inside a callback of this node. A p2pa_node_wait_event that waits in
 * another thread runs the node itself from then on. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_node_stop_thread(p2pa_node node) P2PA_NOEXCEPT;

/* ---- Events -------------------------------------------------------------------------------- */

#define P2PA_EVENT_NONE 0
/* Completions: exactly the events whose `op` is not 0. `status` says how it ended; on failure
 * `detail` and `text` say more. */
#define P2PA_EVENT_DIAL_DONE 1        /* peer, address, connection; p2pa_event_dial_attempt has the rest */
#define P2PA_EVENT_PING_DONE 2        /* peer, duration_ns: the round trip */
#define P2PA_EVENT_PERF_DONE 3        /* peer, bytes_up, bytes_down, upload_ns, download_ns */
#define P2PA_EVENT_CALL_DONE 4        /* peer; data: the answer, or of P2PA_E_APPLICATION the error's */
#define P2PA_EVENT_NOTIFY_DONE 5      /* peer: the bytes are handed to the connection */
#define P2PA_EVENT_STREAM_OPEN_DONE 6 /* peer, stream */
#define P2PA_EVENT_CHANNEL_OPEN_DONE 7 /* peer, channel */
/* Calls: `call` and `peer` are set. */
#define P2PA_EVENT_REQUEST 16         /* name: method; data: request; duration_ns: time left or -1 */
#define P2PA_EVENT_CALL_INCOMING 17   /* name: method; duration_ns: time left or -1 */
#define P2PA_EVENT_CALL_MESSAGE 18    /* data: one whole message */
#define P2PA_EVENT_CALL_FINISHED 19   /* the other end sends no more messages */
#define P2PA_EVENT_CALL_WRITABLE 20   /* after P2PA_E_WOULD_BLOCK: try again */
#define P2PA_EVENT_CALL_ENDED 21      /* status, detail, text, application_code, data; the last one */
/* Raw streams: `stream` and `peer` are set. */
#define P2PA_EVENT_STREAM_INCOMING 32 /* name: protocol */
#define P2PA_EVENT_STREAM_DATA 33     /* data: the next bytes */
#define P2PA_EVENT_STREAM_FINISHED 34 /* the peer sends no more */
#define P2PA_EVENT_STREAM_WRITABLE 35 /* after a short write: try again */
#define P2PA_EVENT_STREAM_ENDED 36    /* status, detail, text; the last one */
#define P2PA_EVENT_CHANNEL_ENDED 40   /* peer, channel, status: OK after close; the last one of a channel */
/* Notifications: may be dropped when the queue is full; `dropped` of a later event says which. */
#define P2PA_EVENT_LISTENING 48       /* address */
#define P2PA_EVENT_LISTEN_FAILED 49   /* address, status */
#define P2PA_EVENT_CONNECTED 50       /* peer, address, connection */
#define P2PA_EVENT_DISCONNECTED 51    /* peer, connection, status: why; P2PA_EVENT_FLAG_LAST */
#define P2PA_EVENT_IDENTIFIED 52      /* peer; p2pa_node_peer_info has what it said */
#define P2PA_EVENT_PATH_CHANGED 53    /* peer, address: a connection survived an address change */
#define P2PA_EVENT_DATAGRAM 54        /* peer, data */
#define P2PA_EVENT_MESSAGE 55         /* peer, data: one message of a channel that the peer opened */
#define P2PA_EVENT_SESSION_MESSAGE 56 /* peer, data, delivery, session_channel */
#define P2PA_EVENT_REFUSED 57         /* peer, address, status: why, count: who dialed us was not let in, or gave up */
#define P2PA_EVENT_LAN_MESSAGE 58     /* peer: who signed it, name: topic, data */
/* The last event of a node. status: P2PA_OK, or why it had to end (P2PA_E_INTERNAL, _OUT_OF_MEMORY). */
#define P2PA_EVENT_CLOSED 64

/* The last connection to this peer. */
#define P2PA_EVENT_FLAG_LAST 1u

/* The bit of a notification kind in `dropped`. */
#define P2PA_EVENT_DROPPED(kind) (1u << ((kind)-P2PA_EVENT_LISTENING))

/* One thing that happened. Fields that the kind does not name are zero. Pointers are lent until
 * p2pa_event_release. */
typedef struct p2pa_event {
  uint32_t struct_size;
  uint32_t kind;            /* P2PA_EVENT_* */
  p2pa_node node;
  uint64_t token;           /* the library's own: what p2pa_event_release gives back */
  p2pa_op op;
  p2pa_call call;
  p2pa_stream stream;
  uint64_t connection;      /* number of the connection, unique in its node */
  p2pa_peer peer;
  int32_t status;
  int32_t application_code; /* of P2PA_E_APPLICATION */
  uint64_t detail;          /* number that belongs to status */
  p2pa_text text;           /* sentence that belongs to status; of P2PA_E_APPLICATION the method's */
  p2pa_bytes data;
  p2pa_text name;
  p2pa_text address;
  int64_t duration_ns;
  uint64_t bytes_up;
  uint64_t bytes_down;
  int64_t upload_ns;
  int64_t download_ns;
  uint32_t flags;           /* P2PA_EVENT_FLAG_* */
  uint32_t dropped;         /* notifications lost since the event before: P2PA_EVENT_DROPPED bits */
  p2pa_channel channel;
  uint32_t delivery;        /* P2PA_DELIVERY_* */
  uint32_t session_channel; /* 0 to 63 */
  uint64_t count;           /* refused with this status since the last such event, a second before or more */
} p2pa_event;

static inline void p2pa_event_init(p2pa_event *event) {
  memset(event, 0, sizeof *event);
  event->struct_size = (uint32_t)sizeof *event;
}

/* Takes the next event out of the queue, without running the node. P2PA_NONE: there is none.
 * P2PA_E_INVALID_STATE: an event callback is set. Every event that was taken must be released; the
 * number promised, waiting and lent is bounded by events_max, and where one call or stream has many
 * unreleased ones it is paused until they are. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_node_next_event(p2pa_node node, p2pa_event *event) P2PA_NOEXCEPT;

/* Takes the next event, waiting up to `timeout_us` for it (negative: without end). Without the
 * library's thread this runs the node as p2pa_node_poll does (Thread: owner, P2PA_E_WRONG_THREAD);
 * with it, it only waits (Thread: any, not inside a callback: P2PA_E_WRONG_THREAD).
 * P2PA_NONE: time is up. P2PA_E_CLOSED: CLOSED was taken, nothing follows.
 * P2PA_E_INVALID_STATE: an event callback is set. Since 0.1. */
P2PA_API int32_t p2pa_node_wait_event(p2pa_node node, int64_t timeout_us,
                                      p2pa_event *event) P2PA_NOEXCEPT;

/* Gives back what an event lent, and clears the struct. Releasing a cleared event is fine; a second
 * release through a copy is P2PA_E_STALE_HANDLE. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_event_release(p2pa_event *event) P2PA_NOEXCEPT;

typedef void (*p2pa_event_fn)(void *ctx, const p2pa_event *event);

/* Has each event handed to `fn` by p2pa_node_poll, or on the library's thread, instead of waiting
 * to be taken. The event is lent during the call; do not release it. `fn` NULL: back to the queue.
 * The old triple is dropped. Inside `fn` the owner functions, p2pa_node_free and
 * p2pa_node_stop_thread are P2PA_E_WRONG_THREAD; all others work. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_node_set_event_callback(p2pa_node node, p2pa_event_fn fn, void *ctx,
                                              p2pa_drop_fn drop) P2PA_NOEXCEPT;

/* "call_done" for P2PA_EVENT_CALL_DONE; "unknown" for a number that is none. Static text.
 * Thread: any. Since 0.1. */
P2PA_API const char *p2pa_event_name(uint32_t kind) P2PA_NOEXCEPT;

/* How far one address of a dial got, or why it was not tried. */
#define P2PA_DIAL_CONNECTED 0        /* this one won */
#define P2PA_DIAL_RESOLVING 1        /* its name is looked up; P2PA_OK: what it stands for is among the attempts */
#define P2PA_DIAL_CONNECTING 2       /* nothing has come back */
#define P2PA_DIAL_SECURING 3         /* somebody answers; who it is has to be proved */
#define P2PA_DIAL_MUXING 4           /* the peer is the right one; how streams share the connection is agreed on */
#define P2PA_DIAL_SKIPPED_BACKOFF 16 /* it failed a short while ago; status is the one of then */
#define P2PA_DIAL_SKIPPED_BLACK_HOLE 17 /* nothing of its kind (UDP, IPv6) gets through from here */
#define P2PA_DIAL_SKIPPED_PRIVATE 18 /* a private address of another network */
#define P2PA_DIAL_SKIPPED_GATED 19   /* a rule of this node forbids it */
#define P2PA_DIAL_SKIPPED_NO_TRANSPORT 20 /* nothing here dials such addresses */
#define P2PA_DIAL_SKIPPED_LIMIT 21   /* more than one dial tries, or a bound on what may be used */

/* One address of a dial. */
typedef struct p2pa_dial_attempt {
  uint32_t struct_size;
  uint32_t stage;     /* P2PA_DIAL_* */
  int32_t status;     /* P2PA_OK: this one won. P2PA_E_CANCELLED: another was faster, or the dial was given up */
  uint32_t reserved;
  uint64_t detail;    /* number that belongs to status */
  int64_t started_ns; /* since the dial began */
  int64_t took_ns;    /* 0 when it was skipped */
  p2pa_text address;  /* without /p2p/<id>; lent until the event is released */
  p2pa_text text;     /* sentence that belongs to status; likewise */
} p2pa_dial_attempt;

static inline void p2pa_dial_attempt_init(p2pa_dial_attempt *attempt) {
  memset(attempt, 0, sizeof *attempt);
  attempt->struct_size = (uint32_t)sizeof *attempt;
}

/* What became of the addresses of a dial, whether it succeeded or not: `index` counts from 0 in the order in
 * which they were begun or skipped, of the first 64; none when it was connected already. `event` is a DIAL_DONE
 * that is lent. P2PA_E_NOT_FOUND: there are no more, or it is another event. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_event_dial_attempt(const p2pa_event *event, size_t index,
                                         p2pa_dial_attempt *attempt) P2PA_NOEXCEPT;

/* "connecting" for P2PA_DIAL_CONNECTING; "unknown" for a number that is none. Static text.
 * Thread: any. Since 0.1. */
P2PA_API const char *p2pa_dial_stage_name(uint32_t stage) P2PA_NOEXCEPT;

/* Gives an operation up: it completes with P2PA_E_CANCELLED, unless its completion is on its way
 * already. P2PA_E_STALE_HANDLE: it has completed. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_op_cancel(p2pa_op op) P2PA_NOEXCEPT;

/* ---- Who and where ------------------------------------------------------------------------- */

/* Who this node is. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_node_peer(p2pa_node node, p2pa_peer *peer) P2PA_NOEXCEPT;

/* Where this node listens: multiaddrs with /p2p/<id>, one a line.
 * P2PA_E_BUFFER_TOO_SMALL. Thread: any, waits. Since 0.1. */
P2PA_API int32_t p2pa_node_addresses(p2pa_node node, char *buffer, size_t *size) P2PA_NOEXCEPT;

/* Starts to listen; LISTENING or LISTEN_FAILED follows. P2PA_E_MALFORMED: no multiaddr.
 * P2PA_E_CLOSED, P2PA_E_WOULD_BLOCK. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_node_listen(p2pa_node node, const char *address, size_t address_size,
                                  p2pa_error_info *error) P2PA_NOEXCEPT;

/* Remembers where a peer may be found. P2PA_E_MALFORMED: no multiaddr. P2PA_E_PEER_ID_MISMATCH: the
 * address names another peer. P2PA_E_CLOSED, P2PA_E_WOULD_BLOCK. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_node_add_address(p2pa_node node, const p2pa_peer *peer, const char *address,
                                       size_t address_size, p2pa_error_info *error) P2PA_NOEXCEPT;

/* Connects to an address, or answers with the connection that exists. When the address names a peer
 * only that peer is accepted. Completes with DIAL_DONE. P2PA_E_MALFORMED: no multiaddr.
 * P2PA_E_CLOSED, P2PA_E_WOULD_BLOCK. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_node_dial(p2pa_node node, const char *address, size_t address_size,
                                p2pa_op *op, p2pa_error_info *error) P2PA_NOEXCEPT;

/* The same at the addresses that are known of a peer. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_node_dial_peer(p2pa_node node, const p2pa_peer *peer,
                                     p2pa_op *op) P2PA_NOEXCEPT;

/* Closes every connection to a peer; DISCONNECTED follows for each.
 * P2PA_E_CLOSED, P2PA_E_WOULD_BLOCK. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_node_disconnect(p2pa_node node, const p2pa_peer *peer) P2PA_NOEXCEPT;

typedef struct p2pa_connection_info {
  uint32_t struct_size;
  uint32_t outbound; /* 1: we dialed */
  uint64_t connection;
  p2pa_peer peer;
  int64_t rtt_ns;
  uint64_t bytes_sent;
  uint64_t bytes_received;
  uint64_t packets_sent;
  uint64_t packets_received;
  uint32_t streams;
  uint32_t reserved;
  int64_t jitter_ns;   /* mean deviation of the round trip */
  int64_t age_ns;
  double loss;         /* share of our packets that had to be repeated, of late; TCP does not tell */
  double throughput;   /* bytes per second of late, both directions together */
  double score;        /* 1 is perfect; 0.5 is what an exchange of 100 ms has */
} p2pa_connection_info;

static inline void p2pa_connection_info_init(p2pa_connection_info *info) {
  memset(info, 0, sizeof *info);
  info->struct_size = (uint32_t)sizeof *info;
}

/* The numbers of the connections there are now; *count is in/out, in entries.
 * P2PA_E_BUFFER_TOO_SMALL. Thread: any, waits. Since 0.1. */
P2PA_API int32_t p2pa_node_connections(p2pa_node node, uint64_t *connections,
                                       size_t *count) P2PA_NOEXCEPT;

/* What a connection has done so far. P2PA_E_NOT_FOUND: it is gone. Thread: any, waits. Since 0.1. */
P2PA_API int32_t p2pa_node_connection_info(p2pa_node node, uint64_t connection,
                                           p2pa_connection_info *info) P2PA_NOEXCEPT;

/* The other end's address. P2PA_E_NOT_FOUND, P2PA_E_BUFFER_TOO_SMALL.
 * Thread: any, waits. Since 0.1. */
P2PA_API int32_t p2pa_node_connection_address(p2pa_node node, uint64_t connection, char *buffer,
                                              size_t *size) P2PA_NOEXCEPT;

/* ---- Care of connections, and whom to deal with --------------------------------------------- */

/* Stays connected to the peer: dials it now, and again whenever it is lost, with pauses of 250 ms to a minute
 * while it does not answer, and at once when the network changes; until unkeep or disconnect. Keeping it again
 * changes nothing. P2PA_E_INVALID_ARGUMENT: this node itself. P2PA_E_LIMIT_PEER: 4096 are kept. P2PA_E_CLOSED.
 * Thread: any, waits. Since 0.1. */
P2PA_API int32_t p2pa_node_keep(p2pa_node node, const p2pa_peer *peer) P2PA_NOEXCEPT;

/* The connection stays, but is dialed no more. P2PA_E_NOT_FOUND: it was not kept.
 * Thread: any, waits. Since 0.1. */
P2PA_API int32_t p2pa_node_unkeep(p2pa_node node, const p2pa_peer *peer) P2PA_NOEXCEPT;

/* A peer with any such tag (1 to 255 bytes of UTF-8) is neither closed over high_water nor for idleness.
 * P2PA_E_LIMIT_PEER: 64 tags a peer. Thread: any, waits. Since 0.1. */
P2PA_API int32_t p2pa_node_protect(p2pa_node node, const p2pa_peer *peer, const char *tag,
                                   size_t tag_size) P2PA_NOEXCEPT;

/* Takes a tag back. P2PA_NONE: another one protects the peer still. Thread: any, waits. Since 0.1. */
P2PA_API int32_t p2pa_node_unprotect(p2pa_node node, const p2pa_peer *peer, const char *tag,
                                     size_t tag_size) P2PA_NOEXCEPT;

/* What the peer is worth to whom names the tag; over high_water those with the least sum close first. 0 takes it
 * back. P2PA_E_LIMIT_PEER: 64 tags a peer. Thread: any, waits. Since 0.1. */
P2PA_API int32_t p2pa_node_set_value(p2pa_node node, const p2pa_peer *peer, const char *tag, size_t tag_size,
                                     int32_t value) P2PA_NOEXCEPT;

/* Of `count` peers that offer the same the one to ask next: the better of two at random, by quality and load of
 * their connections. P2PA_E_INVALID_ARGUMENT: none, or over 65,536. Thread: any, waits. Since 0.1. */
P2PA_API int32_t p2pa_node_choose_peer(p2pa_node node, const p2pa_peer *peers, size_t count,
                                       p2pa_peer *chosen) P2PA_NOEXCEPT;

/* A rule is a peer id as text, an IP address or a range of them ("10.0.0.0/8"), or a protocol id. What it names
 * does not pass, whatever else names it: connections and streams that there are end with P2PA_E_GATED.
 * P2PA_E_INVALID_ARGUMENT: it is no rule. Thread: any, waits. Since 0.1. */
P2PA_API int32_t p2pa_node_deny(p2pa_node node, const char *rule, size_t rule_size) P2PA_NOEXCEPT;

/* What it names, a peer or addresses, may pass when only that may. Errors as p2pa_node_deny.
 * Thread: any, waits. Since 0.1. */
P2PA_API int32_t p2pa_node_allow(p2pa_node node, const char *rule, size_t rule_size) P2PA_NOEXCEPT;

/* Takes a rule back, denied or allowed. P2PA_E_NOT_FOUND: there is none such. P2PA_E_INVALID_ARGUMENT.
 * Thread: any, waits. Since 0.1. */
P2PA_API int32_t p2pa_node_forget_rule(p2pa_node node, const char *rule, size_t rule_size) P2PA_NOEXCEPT;

/* 1: from now on a connection passes only when p2pa_node_allow named its peer or its address. 0: all that is
 * not denied passes. Thread: any, waits. Since 0.1. */
P2PA_API int32_t p2pa_node_allow_only(p2pa_node node, uint32_t allowed_only) P2PA_NOEXCEPT;

/* As seen from this node. */
#define P2PA_DIRECTION_OUTBOUND 1
#define P2PA_DIRECTION_INBOUND 2

/* Limits what moves by a token bucket, from now on, or changes the limit that is set. `scope`: empty for the whole
 * node, a peer id as text, or a protocol id; what falls under several limits obeys all. Outbound, streams wait and
 * their writers see it; inbound, the peer is stopped by flow control; nothing is dropped, and the more urgent class
 * goes first. bytes_per_second: 1 to 100,000,000,000. burst_bytes: what may go at once after a pause, at most
 * 4,294,967,296; 0: what goes in 50 ms, and 16 KiB at least. P2PA_E_INVALID_ARGUMENT: one of these is otherwise.
 * Thread: any, waits. Since 0.1. */
P2PA_API int32_t p2pa_node_set_rate_limit(p2pa_node node, const char *scope, size_t scope_size, uint32_t direction,
                                          uint64_t bytes_per_second, uint64_t burst_bytes) P2PA_NOEXCEPT;

/* Takes a limit back. P2PA_E_NOT_FOUND: none was set. P2PA_E_INVALID_ARGUMENT: no scope.
 * Thread: any, waits. Since 0.1. */
P2PA_API int32_t p2pa_node_clear_rate_limit(p2pa_node node, const char *scope, size_t scope_size,
                                            uint32_t direction) P2PA_NOEXCEPT;

/* The limit that is set. P2PA_E_NOT_FOUND: none is. P2PA_E_INVALID_ARGUMENT. Thread: any, waits. Since 0.1. */
P2PA_API int32_t p2pa_node_rate_limit(p2pa_node node, const char *scope, size_t scope_size, uint32_t direction,
                                      uint64_t *bytes_per_second, uint64_t *burst_bytes) P2PA_NOEXCEPT;

#define P2PA_PEER_AGENT_VERSION 1
#define P2PA_PEER_PROTOCOL_VERSION 2
#define P2PA_PEER_PROTOCOLS 3        /* one a line */
#define P2PA_PEER_ADDRESSES 4        /* one a line */
#define P2PA_PEER_OBSERVED_ADDRESS 5 /* how the peer sees us; may be empty */

/* What a peer said of itself (identify), field by field. Control characters in a peer's text are
 * replaced by '?', so that a line is a line. P2PA_E_NOT_FOUND: not identified.
 * P2PA_E_BUFFER_TOO_SMALL. Thread: any, waits. Since 0.1. */
P2PA_API int32_t p2pa_node_peer_info(p2pa_node node, const p2pa_peer *peer, uint32_t field,
                                     char *buffer, size_t *size) P2PA_NOEXCEPT;

/* How often a bound refused something since the node began. `limit` counts from 0;
 * P2PA_E_NOT_FOUND: there are no more. "events": for want of an event, or of room for its payload, a
 * peer's call was refused (it sees P2PA_E_LIMIT_CALLS or P2PA_E_LIMIT_MEMORY), its stream was reset, or
 * P2PA_E_WOULD_BLOCK was answered here. Thread: any, waits. Since 0.1. */
P2PA_API int32_t p2pa_node_limit_refusals(p2pa_node node, uint32_t limit,
                                          uint64_t *refused) P2PA_NOEXCEPT;

/* The name of a bound, "connections_per_peer"; "unknown" past the last. Static text.
 * Thread: any. Since 0.1. */
P2PA_API const char *p2pa_limit_name(uint32_t limit) P2PA_NOEXCEPT;

/* How much of what others sent came to nothing since the node began, by reason: garbage, forgeries, repetitions,
 * addresses that nobody proved, handshakes and streams that broke the rules or stood still. `reason` counts from
 * 0; P2PA_E_NOT_FOUND: there are no more. Thread: any, waits. Since 0.1. */
P2PA_API int32_t p2pa_node_drops(p2pa_node node, uint32_t reason, uint64_t *dropped) P2PA_NOEXCEPT;

/* The name of a reason, "address_unproven", as p2pagents/drops.hpp explains them; "unknown reason" past the last.
 * Static text. Thread: any. Since 0.1. */
P2PA_API const char *p2pa_drop_name(uint32_t reason) P2PA_NOEXCEPT;

/* What is in use now of what p2pa_limits bounds. */
typedef struct p2pa_usage {
  uint32_t struct_size;
  uint32_t handshakes;  /* inbound, in flight */
  uint32_t connections;
  uint32_t streams;
  uint32_t calls;
  uint32_t events;      /* promised, waiting or lent */
  uint64_t memory;      /* bytes of buffered payload, in the connections */
  uint64_t event_bytes; /* bytes of payload in events that wait or are lent, bounded once more by memory_max
                         * and for each peer by memory_per_peer_max */
} p2pa_usage;

static inline void p2pa_usage_init(p2pa_usage *usage) {
  memset(usage, 0, sizeof *usage);
  usage->struct_size = (uint32_t)sizeof *usage;
}

/* Tells what the node uses. Thread: any, waits. Since 0.1. */
P2PA_API int32_t p2pa_node_usage(p2pa_node node, p2pa_usage *usage) P2PA_NOEXCEPT;

/* Measures one round trip with /ipfs/ping/1.0.0, dialing when not connected. Completes with
 * PING_DONE. P2PA_E_CLOSED, P2PA_E_WOULD_BLOCK. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_node_ping(p2pa_node node, const p2pa_peer *peer, p2pa_op *op) P2PA_NOEXCEPT;

/* Sends and then receives that many bytes with /perf/1.0.0. Completes with PERF_DONE.
 * P2PA_E_CLOSED, P2PA_E_WOULD_BLOCK. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_node_perf(p2pa_node node, const p2pa_peer *peer, uint64_t upload,
                                uint64_t download, p2pa_op *op) P2PA_NOEXCEPT;

/* ---- Requests ------------------------------------------------------------------------------
 * A call names a method of a peer. Unary: one request, one answer. Otherwise each end sends any
 * number of messages and finishes; the call ends when the serving end has finished or failed.
 * Method names: 1 to 255 bytes of UTF-8. */

#define P2PA_SERVE_UNARY 1     /* REQUEST carries the request; answer with reply or fail */
#define P2PA_SERVE_STREAMING 2 /* CALL_INCOMING, then messages */

/* Serves a method. P2PA_E_INVALID_STATE: it is served already. P2PA_E_CLOSED, P2PA_E_WOULD_BLOCK.
 * Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_node_serve(p2pa_node node, const char *method, size_t method_size,
                                 uint32_t mode) P2PA_NOEXCEPT;

/* Serves a method no more; calls that have arrived go on. P2PA_E_NOT_FOUND: it is not served.
 * P2PA_E_CLOSED, P2PA_E_WOULD_BLOCK. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_node_stop_serving(p2pa_node node, const char *method,
                                        size_t method_size) P2PA_NOEXCEPT;

#define P2PA_CALL_REPLAY_SAFE 1u /* may be executed twice without harm, so may travel as 0-RTT */
/* Messages go smaller by zstd, both ways, where that helps and the peer is known to read it. Not for secrets beside
 * what a stranger may choose: the size tells of the content. */
#define P2PA_CALL_COMPRESS 2u

/* How urgent it is what this end sends: a more urgent class goes first, and one that waits gets an eighth at least. */
#define P2PA_PRIORITY_CONTROL 1     /* short and waited for */
#define P2PA_PRIORITY_INTERACTIVE 2 /* what everything has that does not say otherwise */
#define P2PA_PRIORITY_BULK 3        /* what takes its time */

typedef struct p2pa_call_options {
  uint32_t struct_size;
  uint32_t flags;      /* P2PA_CALL_* */
  int64_t deadline_us; /* from now, at most 24 h; travels with the call. 0: 30 s; negative: none */
  uint32_t priority;   /* P2PA_PRIORITY_* of what the caller sends; 0: interactive */
  uint32_t reserved;
} p2pa_call_options;

static inline void p2pa_call_options_init(p2pa_call_options *options) {
  memset(options, 0, sizeof *options);
  options->struct_size = (uint32_t)sizeof *options;
}

/* Calls a method with one request and one answer, dialing when not connected. `options` may be NULL.
 * Completes with CALL_DONE: P2PA_OK and the answer, P2PA_E_APPLICATION and the method's own error,
 * or the transport's reason. P2PA_E_MESSAGE_TOO_LARGE, P2PA_E_UNSUPPORTED (newer options),
 * P2PA_E_CLOSED, P2PA_E_WOULD_BLOCK. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_node_call(p2pa_node node, const p2pa_peer *peer, const char *method,
                                size_t method_size, const uint8_t *data, size_t data_size,
                                const p2pa_call_options *options, p2pa_op *op) P2PA_NOEXCEPT;

/* Sends a message that has no answer. Completes with NOTIFY_DONE when the bytes are handed to the
 * connection. Errors as p2pa_node_call. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_node_notify(p2pa_node node, const p2pa_peer *peer, const char *method,
                                  size_t method_size, const uint8_t *data, size_t data_size,
                                  p2pa_op *op) P2PA_NOEXCEPT;

/* Opens a call of any shape. The handle may be used at once; CALL_ENDED comes exactly once and is
 * its last event. `options` may be NULL. P2PA_E_UNSUPPORTED, P2PA_E_CLOSED, P2PA_E_WOULD_BLOCK.
 * Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_node_call_open(p2pa_node node, const p2pa_peer *peer, const char *method,
                                     size_t method_size, const p2pa_call_options *options,
                                     p2pa_call *call) P2PA_NOEXCEPT;

/* Sends one message, copied. P2PA_E_WOULD_BLOCK: the call's outbox is full, nothing was taken, and
 * CALL_WRITABLE follows. P2PA_E_MESSAGE_TOO_LARGE. P2PA_E_STREAM_FINISHED: after finish, reply or
 * fail. P2PA_E_INVALID_STATE: a request of a unary method. P2PA_E_CLOSED. A message that was taken
 * waits for memory when there is none; one that the bounds never allow ends the call at both ends,
 * here with P2PA_E_LIMIT_MEMORY. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_call_send(p2pa_call call, const uint8_t *data, size_t data_size) P2PA_NOEXCEPT;

/* Sends one message without copying it here. `release(ctx)` is called exactly once whatever the
 * answer: during this call when it fails (also with P2PA_E_WOULD_BLOCK), otherwise on the thread
 * that runs the node as soon as the bytes are no longer needed. Errors as p2pa_call_send.
 * Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_call_send_take(p2pa_call call, const uint8_t *data, size_t data_size,
                                     p2pa_drop_fn release, void *ctx) P2PA_NOEXCEPT;

/* No more messages from this end, after those that are queued. A server's finish is the successful
 * end of the call. P2PA_E_STREAM_FINISHED: it was said before. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_call_finish(p2pa_call call) P2PA_NOEXCEPT;

/* Answers a call with one message and finishes it, copied: for a REQUEST all that is needed. After a
 * REQUEST was answered or failed no CALL_ENDED follows; if the caller goes away before, one does.
 * Errors as p2pa_call_send, but P2PA_E_WOULD_BLOCK never for a REQUEST. P2PA_E_INVALID_STATE: a call
 * that this node opened. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_call_reply(p2pa_call call, const uint8_t *data, size_t data_size) P2PA_NOEXCEPT;

/* The same without copying; release as in p2pa_call_send_take. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_call_reply_take(p2pa_call call, const uint8_t *data, size_t data_size,
                                      p2pa_drop_fn release, void *ctx) P2PA_NOEXCEPT;

/* Ends a served call with the method's own error; messages that are still queued are not sent.
 * P2PA_E_INVALID_STATE: a call that this node opened. P2PA_E_STREAM_FINISHED: answered before.
 * P2PA_E_MESSAGE_TOO_LARGE: text and data together are over the message bound.
 * Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_call_fail(p2pa_call call, int32_t application_code, const char *text,
                                size_t text_size, const uint8_t *data,
                                size_t data_size) P2PA_NOEXCEPT;

/* P2PA_PRIORITY_* of what this end sends, from now on, also of what is queued. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_call_set_priority(p2pa_call call, uint32_t priority) P2PA_NOEXCEPT;

/* Gives the call up from either end; the other sees P2PA_E_CANCELLED. CALL_ENDED follows with
 * P2PA_E_CANCELLED. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_call_cancel(p2pa_call call) P2PA_NOEXCEPT;

/* ---- Raw streams and datagrams -------------------------------------------------------------
 * Bytes in both directions on a protocol of one's own, "/my-game/1". Protocol ids: 1 to 255 bytes
 * of UTF-8 that begin with '/'. */

/* Accepts streams of a protocol: STREAM_INCOMING for each. P2PA_E_INVALID_STATE: handled already.
 * P2PA_E_CLOSED, P2PA_E_WOULD_BLOCK. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_node_handle_protocol(p2pa_node node, const char *protocol,
                                           size_t protocol_size) P2PA_NOEXCEPT;

/* Opens a stream, dialing when not connected. Completes with STREAM_OPEN_DONE. From then on
 * STREAM_ENDED comes exactly once and is its last event. P2PA_E_CLOSED, P2PA_E_WOULD_BLOCK.
 * Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_node_open_stream(p2pa_node node, const p2pa_peer *peer, const char *protocol,
                                       size_t protocol_size, p2pa_op *op) P2PA_NOEXCEPT;

/* Queues bytes, copied, and says how many were taken. Fewer than given: STREAM_WRITABLE follows.
 * P2PA_E_WOULD_BLOCK: none were, STREAM_WRITABLE follows. P2PA_E_STREAM_FINISHED: after finish or
 * reset. P2PA_E_CLOSED. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_stream_write(p2pa_stream stream, const uint8_t *data, size_t data_size,
                                   size_t *taken) P2PA_NOEXCEPT;

/* Queues all the bytes without copying them here; release as in p2pa_call_send_take.
 * P2PA_E_WOULD_BLOCK: the outbox is full, STREAM_WRITABLE follows. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_stream_write_take(p2pa_stream stream, const uint8_t *data, size_t data_size,
                                        p2pa_drop_fn release, void *ctx) P2PA_NOEXCEPT;

/* Ends our direction after what is queued. P2PA_E_STREAM_FINISHED: it was said before.
 * Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_stream_finish(p2pa_stream stream) P2PA_NOEXCEPT;

/* Aborts both directions with a code of the application's; what is queued is not sent. STREAM_ENDED
 * follows with P2PA_E_CANCELLED. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_stream_reset(p2pa_stream stream, uint64_t code) P2PA_NOEXCEPT;

/* P2PA_PRIORITY_* of what this end writes, from now on, also of what is queued. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_stream_set_priority(p2pa_stream stream, uint32_t priority) P2PA_NOEXCEPT;

/* Sends a datagram to a connected peer: unreliable, unordered, lost when the peer is not connected,
 * takes none, or the path carries fewer bytes (1,000 always fit). P2PA_E_MESSAGE_TOO_LARGE: over
 * 65,535 bytes or memory_max. P2PA_E_CLOSED, P2PA_E_WOULD_BLOCK. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_node_send_datagram(p2pa_node node, const p2pa_peer *peer, const uint8_t *data,
                                         size_t data_size) P2PA_NOEXCEPT;

/* Kinds of delivery over a session on plain UDP ("/udp/<port>/p2pa-udp"); a message arrives whole or not at all. */
#define P2PA_DELIVERY_UNRELIABLE 1 /* at most once, in any order */
#define P2PA_DELIVERY_SEQUENCED 2  /* at most once, and not after a newer one of its channel */
#define P2PA_DELIVERY_RELIABLE 3   /* once, as soon as it is complete */
#define P2PA_DELIVERY_ORDERED 4    /* once, in the order of sending on its channel */

typedef struct p2pa_session_message_options {
  uint32_t struct_size;
  uint32_t delivery;   /* P2PA_DELIVERY_*; 0: unreliable */
  int64_t lifetime_us; /* after which it is sent no more; 0: for ever */
  uint32_t channel;    /* 0 to 63; each kind of delivery has as many */
  int32_t priority;    /* -128 to 127: higher goes first; streams have 0, and messages of 0 go before them */
  /* 1: what is lost is repaired from packets sent beside, as many as losses demand, and dropped when its lifetime is
   * over by then. RELIABLE and ORDERED need a lifetime for it. A peer that knows none gets the message without. */
  uint32_t correction;
  uint32_t reserved;
} p2pa_session_message_options;

static inline void p2pa_session_message_options_init(p2pa_session_message_options *options) {
  memset(options, 0, sizeof *options);
  options->struct_size = (uint32_t)sizeof *options;
}

/* Sends a message of at most 262,144 bytes, copied, on the session with the peer, dialed before; at the other end
 * it is a SESSION_MESSAGE. Lost when there is no session, or when 2 MiB wait there already. `options` may be NULL.
 * P2PA_E_MESSAGE_TOO_LARGE, P2PA_E_CLOSED, P2PA_E_WOULD_BLOCK. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_node_send_session_message(p2pa_node node, const p2pa_peer *peer, const uint8_t *data,
                                                size_t data_size,
                                                const p2pa_session_message_options *options) P2PA_NOEXCEPT;

/* ---- The local network ----------------------------------------------------------------------
 * Messages to everybody on it, over multicast or broadcast, without connections: signed by the sender, perhaps
 * lost, in any order, each at most once. The first use opens the sockets; LISTEN_FAILED: nothing can be heard. */

/* Hears what others send on a topic, text of 1 to 64 bytes: LAN_MESSAGE follows for each. P2PA_E_LIMIT_MEMORY: 256
 * topics are joined. P2PA_E_INVALID_ARGUMENT, P2PA_E_CLOSED. Thread: any, waits. Since 0.1. */
P2PA_API int32_t p2pa_node_join_lan(p2pa_node node, const char *topic, size_t topic_size) P2PA_NOEXCEPT;

/* P2PA_E_NOT_FOUND: it was not joined. Other errors as above. Thread: any, waits. Since 0.1. */
P2PA_API int32_t p2pa_node_leave_lan(p2pa_node node, const char *topic, size_t topic_size) P2PA_NOEXCEPT;

/* Sends at most 960 bytes, copied, to all that joined the topic, and not to this node. P2PA_E_MESSAGE_TOO_LARGE.
 * P2PA_E_RATE_LIMITED: over 200 a second, and at once. P2PA_E_WOULD_BLOCK: 512 wait for the network.
 * P2PA_E_INVALID_ARGUMENT, P2PA_E_CLOSED. Thread: any, waits. Since 0.1. */
P2PA_API int32_t p2pa_node_send_lan(p2pa_node node, const char *topic, size_t topic_size, const uint8_t *data,
                                    size_t data_size) P2PA_NOEXCEPT;

/* How much of what came from the local network was dropped for a reason since the node began. `reason` counts from
 * 0; P2PA_E_NOT_FOUND: there are no more. Thread: any, waits. Since 0.1. */
P2PA_API int32_t p2pa_node_lan_drops(p2pa_node node, uint32_t reason, uint64_t *dropped) P2PA_NOEXCEPT;

/* The name of a reason, "rate_limited"; "unknown" past the last. Static text. Thread: any. Since 0.1. */
P2PA_API const char *p2pa_lan_drop_name(uint32_t reason) P2PA_NOEXCEPT;

/* ---- Channels of messages -------------------------------------------------------------------
 * One way, over datagrams: each message arrives once or never, in no order, and losses are repaired from
 * packets sent beside (forward error correction), not by sending again. For what is worthless when late. */

typedef struct p2pa_channel_options {
  uint32_t struct_size;
  uint32_t no_repair;          /* 1: no correction */
  int64_t deadline_us;         /* how long a message is of use; 0: a round trip */
  uint32_t repair_percent_max; /* of repair per packet of messages, to 100; 0: 25. As much goes as losses demand */
  uint32_t reserved;
} p2pa_channel_options;

static inline void p2pa_channel_options_init(p2pa_channel_options *options) {
  memset(options, 0, sizeof *options);
  options->struct_size = (uint32_t)sizeof *options;
}

/* Since the channel was opened. */
typedef struct p2pa_channel_stats {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t messages;
  uint64_t packets;  /* that they were cut into */
  uint64_t repairs;  /* packets more */
  uint64_t size_max; /* of one message, bytes */
  double loss;       /* of packets, as the other end sees it of late, 0 to 1 */
  double burst;      /* packets lost in a row, the mean */
} p2pa_channel_stats;

static inline void p2pa_channel_stats_init(p2pa_channel_stats *stats) {
  memset(stats, 0, sizeof *stats);
  stats->struct_size = (uint32_t)sizeof *stats;
}

/* Opens a channel to a peer, dialing when not connected; at the other end each message is a MESSAGE. `options`
 * may be NULL. Completes with CHANNEL_OPEN_DONE; from then on CHANNEL_ENDED comes exactly once. A connection
 * without datagrams, as over TCP: P2PA_E_UNSUPPORTED. P2PA_E_CLOSED, P2PA_E_WOULD_BLOCK. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_node_open_channel(p2pa_node node, const p2pa_peer *peer, const p2pa_channel_options *options,
                                        p2pa_op *op) P2PA_NOEXCEPT;

/* Sends a copy, lost when the path carries no more. P2PA_E_MESSAGE_TOO_LARGE: over size_max, 64 packets.
 * P2PA_E_STREAM_FINISHED: after close. P2PA_E_CLOSED, P2PA_E_WOULD_BLOCK. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_channel_send(p2pa_channel channel, const uint8_t *data, size_t data_size) P2PA_NOEXCEPT;

/* Ends the channel after what was sent. P2PA_E_STREAM_FINISHED: it was said before. Thread: any. Since 0.1. */
P2PA_API int32_t p2pa_channel_close(p2pa_channel channel) P2PA_NOEXCEPT;

/* What the channel has done. P2PA_E_STALE_HANDLE: it has ended. Thread: any, waits. Since 0.1. */
P2PA_API int32_t p2pa_channel_info(p2pa_channel channel, p2pa_channel_stats *stats) P2PA_NOEXCEPT;

#ifdef __cplusplus
}
#endif
#endif /* P2PAGENTS_H */
