import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { toBase64Url } from "@latchkey/codec";
import { blobPath } from "@latchkey/protocol";
import { isCutOff } from "@latchkey/testkit";
import { describe, expect, test } from "vitest";
import { random, runServer } from "../testing/fixtures.ts";
import { issueCertificate } from "../testing/issue-certificate.ts";

const endless = "Content-Length: 99999999999";
const heads: Readonly<Record<string, string>> = {
  "to a path that there is not": `POST /v1/none HTTP/1.1\r\n${endless}`,
  "to what is only read": `GET /healthz HTTP/1.1\r\n${endless}`,
  "in chunks": "GET /v1/info HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFF",
  "as a blob with no name": `PUT /v1/blobs/xx HTTP/1.1\r\n${endless}`,
  "as a blob that is too large": `PUT ${blobPath(toBase64Url(random(32)))} HTTP/1.1\r\n${endless}`,
  "as a report": `POST /v1/reports HTTP/1.1\r\n${endless}`,
  "for what is the account's": `POST /v1/holdings HTTP/1.1\r\n${endless}`,
};

describe("what goes on after its answer", () => {
  test.each(Object.entries(heads))("[E-313] %s is read no further, and cut off; the answer arrives", async (_, head) => {
    const server = await runServer();
    const socket = connect({ port: server.port, host: "127.0.0.1", allowHalfOpen: true });
    let answer = "";
    socket.on("data", (data: Buffer) => (answer += data.toString("latin1")));
    const [line = "", ...rest] = head.split("\r\n");
    socket.write([line, "Host: localhost", ...rest, "", ""].join("\r\n"));
    expect(await isCutOff(socket)).toBe(true);
    expect(answer).toMatch(/^HTTP\/1\.1 (?:200|404|413) /);
    expect(answer.toLowerCase()).toContain("\r\nconnection: close\r\n");
  });

  test("[E-313] nor over TLS", async () => {
    const { cert, key } = issueCertificate(["localhost"]);
    const server = await runServer({ tls: { cert, key: new TextEncoder().encode(key) } });
    const socket = connectTls({ port: server.port, host: "localhost", ca: cert });
    let answer = "";
    socket.on("data", (data: Buffer) => (answer += data.toString("latin1")));
    socket.write(`POST /v1/none HTTP/1.1\r\nHost: localhost\r\n${endless}\r\n\r\n`);
    expect(await isCutOff(socket)).toBe(true);
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
  });

  test("what is short is let by, and the connection stays", async () => {
    const server = await runServer();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (let at = 0; at < 3; at++) {
      const sent = request({ agent, port: server.port, method: "POST", path: "/v1/none" });
      sent.end(random(100_000));
      const [response] = (await once(sent, "response")) as [NodeJS.ReadableStream & { statusCode: number; socket: { localPort: number } }];
      expect(response.statusCode).toBe(404);
      ports.add(response.socket.localPort);
      response.resume();
      await once(response, "end");
    }
    expect(ports.size).toBe(1);
    agent.destroy();
  });
});
