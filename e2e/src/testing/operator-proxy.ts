import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { decode, encode } from "@latchkey/codec";
import { lookupReplyCodec, lookupRequestCodec, socketPath, subprotocol } from "@latchkey/protocol";
import { WebSocket, WebSocketServer } from "ws";

/** Stands where people reach a server, and can be a malicious operator of it. */
export interface OperatorProxy extends AsyncDisposable {
  /** From now on, who asks for `username` is given the account of `ghost`: keys that the operator has, under somebody's name. */
  putGhost(params: { username: string; ghost: string }): void;
}

/** Passes everything on to the server at `target`, but what it was told to falsify. */
export async function startOperatorProxy(params: { port: number; target: number }): Promise<OperatorProxy> {
  const { port, target } = params;
  const ghosts = new Map<string, string>();
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => subprotocol });
  const server = createServer((request, response) => {
    void (async () => {
      const body: Uint8Array[] = [];
      for await (const chunk of request) if (chunk instanceof Uint8Array) body.push(chunk);
      const { method = "GET", headers, url = "/" } = request;
      const answer = await fetch(`http://127.0.0.1:${String(target)}${url}`, {
        method,
        headers: headers["content-type"] === undefined ? {} : { "content-type": headers["content-type"] },
        ...(method === "GET" || method === "HEAD" ? {} : { body: Buffer.concat(body) }),
      });
      const kept = [...answer.headers].filter(([name]) => !/^(content-length|content-encoding|transfer-encoding|connection)$/.test(name));
      // The server knows its address only from its settings; the policy names where it listens.
      const told = kept.map(([name, value]) => [name, value.replaceAll(`127.0.0.1:${String(target)}`, `localhost:${String(port)}`)]);
      response.writeHead(answer.status, Object.fromEntries(told) as Record<string, string>);
      response.end(new Uint8Array(await answer.arrayBuffer()));
    })().catch(() => response.destroy());
  });
  server.on("upgrade", (request, socket, head) => {
    if (request.url === socketPath("lookup")) {
      sockets.handleUpgrade(request, socket, head, (client) => bridgeLookups(client, target, ghosts));
      return;
    }
    const onward = connect(target, "127.0.0.1", () => {
      const lines = request.rawHeaders.map((text, at) => (at % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join("");
      onward.write(`GET ${request.url ?? "/"} HTTP/1.1\r\n${lines}\r\n`);
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    onward.on("error", () => socket.destroy());
    socket.on("error", () => onward.destroy());
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    putGhost: ({ username, ghost }) => {
      ghosts.set(username, ghost);
    },
    async [Symbol.asyncDispose]() {
      sockets.close();
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function bridgeLookups(client: WebSocket, target: number, ghosts: ReadonlyMap<string, string>): void {
  const onward = new WebSocket(`ws://127.0.0.1:${String(target)}${socketPath("lookup")}`, subprotocol);
  const opened = once(onward, "open");
  opened.catch(() => undefined);
  const close = (): void => {
    client.terminate();
    onward.terminate();
  };
  client.on("message", (data: Buffer) => {
    const { id, body } = decode(lookupRequestCodec, new Uint8Array(data));
    const ghost = body.kind === "lookup_username" ? ghosts.get(body.username) : undefined;
    const asked = ghost === undefined || body.kind !== "lookup_username" ? body : { ...body, username: ghost };
    void opened.then(() => onward.send(encode(lookupRequestCodec, { id, body: asked }))).catch(close);
  });
  onward.on("message", (data: Buffer) => {
    // Read, to be sure that nothing but answers goes this way.
    client.send(encode(lookupReplyCodec, decode(lookupReplyCodec, new Uint8Array(data))));
  });
  for (const end of [client, onward]) {
    end.on("close", close);
    end.on("error", close);
  }
}
