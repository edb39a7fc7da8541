import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { PlainHttp } from "./plain-http.ts";

async function listening(): Promise<{ plain: PlainHttp; port: number }> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  // A TCP server's address is always AddressInfo.
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  const plain = new PlainHttp("chat.example");
  onTestFinished(() => plain.close());
  await plain.listen({ address: "127.0.0.1", port });
  return { plain, port };
}

async function hold(port: number, localAddress: string): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", localAddress });
  onTestFinished(() => {
    socket.destroy();
  });
  socket.on("error", () => undefined);
  socket.write("GET / HTTP/1.1\r\n");
  await once(socket, "connect");
  return socket;
}

test("who holds all sockets of the plain port keeps no challenge out", async () => {
  const { plain, port } = await listening();
  plain.show("a-token", "a-token.thumb");
  for (let at = 0; at < 256; at++) await hold(port, `127.0.0.${10 + (at % 16)}`);
  expect(await (await fetch(`http://127.0.0.1:${port}/.well-known/acme-challenge/a-token`)).text()).toBe("a-token.thumb");
});

test("one address has 16 sockets of the plain port", async () => {
  const { port } = await listening();
  const sockets: Socket[] = [];
  for (let at = 0; at < 20; at++) sockets.push(await hold(port, "127.0.0.9"));
  await expect.poll(() => sockets.filter(({ closed }) => closed).length).toBe(4);
  expect(sockets.slice(0, 16).every(({ closed }) => !closed)).toBe(true);
});
