import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";

/** A client of XMPP (RFC 6120, 6121, XEP-0045) over plain TCP, as far as a benchmark needs it: it counts messages, and reads no XML. */
export interface XmppClient {
  /** Its full address. */
  readonly jid: string;
  send(stanza: string): void;
  /** Resolves when something that holds `part` has come. */
  heard(part: string): Promise<void>;
  /** Called for each message with a body. */
  onMessage: () => void;
  close(): void;
}

const bodyEnd = "</body>";
const waitMs = 30_000;

/** Connects, signs in as somebody without a name (SASL ANONYMOUS), and is available. @throws Error when that takes too long */
export async function connectXmpp(port: number): Promise<XmppClient> {
  const socket: Socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  socket.setEncoding("utf8");
  let [kept, jid, tail, isSettled] = ["", "", "", false];
  const waiting = new Set<() => void>();
  const client: XmppClient = {
    get jid() {
      return jid;
    },
    send: (stanza) => void socket.write(stanza),
    async heard(part) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const look = (): void => {
        if (!kept.includes(part)) return;
        kept = kept.slice(kept.indexOf(part) + part.length);
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      const timer = setTimeout(() => reject(new Error(`the XMPP server did not say ${part}: ${kept.slice(0, 400)}`)), waitMs);
      look();
      try {
        await promise;
      } finally {
        clearTimeout(timer);
        waiting.delete(look);
      }
    },
    onMessage: () => undefined,
    close: () => void socket.destroy(),
  };
  socket.on("data", (chunk: string) => {
    if (!isSettled || waiting.size > 0) {
      kept = (kept + chunk).slice(-65_536);
      for (const look of waiting) look();
    }
    // A body's end may be cut in two.
    const joined = tail + chunk;
    for (let at = joined.indexOf(bodyEnd); at !== -1; at = joined.indexOf(bodyEnd, at + bodyEnd.length)) client.onMessage();
    tail = joined.slice(Math.max(0, joined.length - bodyEnd.length + 1));
  });
  socket.on("error", () => undefined);
  const header =
    "<?xml version='1.0'?><stream:stream to='localhost' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>";
  socket.write(header);
  await client.heard("</stream:features>");
  socket.write("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>");
  await client.heard("<success");
  socket.write(header);
  await client.heard("</stream:features>");
  socket.write("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
  const before = kept;
  await client.heard("<jid>");
  jid = /^([^<]+)/.exec(kept)?.[1] ?? /<jid>([^<]+)/.exec(before)?.[1] ?? "";
  socket.write("<presence/>");
  isSettled = true;
  return client;
}
