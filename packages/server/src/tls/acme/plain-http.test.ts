import { freePort } from "@latchkey/testkit";
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { PlainHttp } from "./plain-http.ts";

async function listening(): Promise<{ plain: PlainHttp; port: number }> {
  const port = await freePort();
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

test("a plain port that is taken is said with the option that chooses another", async () => {
  const { port } = await listening();
  const second = new PlainHttp("chat.example");
  onTestFinished(() => second.close());
  await expect(second.listen({ address: "127.0.0.1", port })).rejects.toMatchObject({
    code: "port_in_use",
    message: `Port ${port} is in use: stop what uses it, or choose another --http-port.`,
  });
});
