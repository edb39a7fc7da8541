import { createCertificateRequest } from "./certificate-request.ts";
import { AcmeDirectory, AcmeError, parseObject, problemOf, urlIn } from "./directory.ts";
import type { AcmeAnswer } from "./directory.ts";
import { generateKey, keyAuthorization } from "./jws.ts";

/** What an order needs. */
export interface OrderParams {
  readonly directoryUrl: string;
  readonly email: string;
  readonly accountKey: string;
  /** The DNS name that the certificate is for. */
  readonly name: string;
  /** Shows a challenge's answer over HTTP, until the result is called. */
  readonly show: (token: string, answer: string) => () => void;
  /** Waits; rejects when the server stops. */
  readonly wait: (delayMs: number) => Promise<void>;
  readonly fetch?: typeof fetch;
}

const pollMs = 2000;
const longestPollMs = 30_000;
const polls = 60;
const maxAuthorizations = 8;

/**
 * Gets a certificate by HTTP-01 (RFC 8555 sections 7.3 to 7.5 and 8.3).
 *
 * ```
 *   account -> order: pending -> each authorization: pending -> valid
 *                     ready   -> finalize -> processing -> valid -> certificate
 * ```
 * @returns a fresh key and the chain, one PEM text
 * @throws AcmeError; whatever `wait` throws
 */
export async function orderCertificate(params: OrderParams): Promise<string> {
  const { accountKey: keyPem, name, wait } = params;
  const directory = await AcmeDirectory.open(params.directoryUrl, params.fetch);
  const account = await directory.post(directory.resource("newAccount"), {
    keyPem,
    signer: { kind: "key" },
    payload: { termsOfServiceAgreed: true, contact: [`mailto:${params.email}`] },
  });
  if (account.location === undefined) throw new AcmeError("bad_answer", "The certificate authority made no account.");
  const signer = { kind: "account", url: account.location } as const;
  const post = (url: string, payload?: unknown): Promise<AcmeAnswer> =>
    directory.post(url, { keyPem, signer, ...(payload === undefined ? {} : { payload }) });

  /** Reads a resource until it has left these states. */
  const settled = async (url: string, passing: readonly string[]): Promise<Readonly<Record<string, unknown>>> => {
    for (let poll = 0; poll < polls; poll++) {
      const { body, retryAfterMs } = await post(url);
      const resource = parseObject(body);
      if (!passing.includes(String(resource["status"]))) return resource;
      await wait(Math.min(Math.max(retryAfterMs, pollMs), longestPollMs));
    }
    throw new AcmeError("bad_answer", "The certificate authority does not come to an end.");
  };

  const order = await post(directory.resource("newOrder"), { identifiers: [{ type: "dns", value: name }] });
  const orderUrl = order.location;
  if (orderUrl === undefined) throw new AcmeError("bad_answer", "The certificate authority took no order.");
  const ordered = parseObject(order.body);
  const { authorizations } = ordered;
  if (!Array.isArray(authorizations) || authorizations.length > maxAuthorizations) {
    throw new AcmeError("bad_answer", "The certificate authority's order cannot be read.");
  }
  for (const index of authorizations.keys()) {
    const url = urlIn(Object.fromEntries(Object.entries(authorizations)), String(index));
    const authorization = parseObject((await post(url)).body);
    if (authorization["status"] === "valid") continue;
    const challenge = httpChallenge(authorization);
    const hide = params.show(challenge.token, keyAuthorization(challenge.token, keyPem));
    try {
      await post(challenge.url, {});
      const outcome = await settled(url, ["pending", "processing"]);
      if (outcome["status"] !== "valid") throw notProven(name, outcome);
    } finally {
      hide();
    }
  }
  const ready = await settled(orderUrl, ["pending", "processing"]);
  const key = generateKey();
  if (ready["status"] !== "ready") throw new AcmeError("refused", "The certificate authority gave the order up.");
  const csr = Buffer.from(createCertificateRequest([name], key)).toString("base64url");
  await post(urlIn(ready, "finalize"), { csr });
  const done = await settled(orderUrl, ["pending", "ready", "processing"]);
  if (done["status"] !== "valid") throw new AcmeError("refused", "The certificate authority gave the order up.");
  const chain = new TextDecoder().decode((await post(urlIn(done, "certificate"))).body);
  return `${key.trimEnd()}\n${chain.trimEnd()}\n`;
}

function httpChallenge(authorization: Readonly<Record<string, unknown>>): { token: string; url: string } {
  const { challenges } = authorization;
  for (const challenge of Array.isArray(challenges) ? challenges : []) {
    if (typeof challenge !== "object" || challenge === null) continue;
    const members = Object.fromEntries(Object.entries(challenge));
    const { type, token } = members;
    // What stands in a path is base64url (section 8.3).
    if (type === "http-01" && typeof token === "string" && /^[A-Za-z0-9_-]{16,256}$/.test(token))
      return { token, url: urlIn(members, "url") };
  }
  throw new AcmeError("bad_answer", "The certificate authority offers no check over HTTP.");
}

function notProven(name: string, authorization: Readonly<Record<string, unknown>>): AcmeError {
  const { challenges } = authorization;
  const problems = (Array.isArray(challenges) ? challenges : []).flatMap((challenge: unknown) =>
    typeof challenge === "object" && challenge !== null && "error" in challenge
      ? [problemOf(Buffer.from(JSON.stringify(challenge.error)))]
      : [],
  );
  return new AcmeError(
    "not_proven",
    `The certificate authority could not reach http://${name}/ on port 80 (${problems[0] ?? "no reason given"}): check the name's DNS, the firewall and --http-port.`,
  );
}
