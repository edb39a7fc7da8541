import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { effectiveLimits } from "../admission/limit-settings.ts";
import { publicUrlOf } from "../config.ts";
import type { ServerOptions } from "../config.ts";
import { policiesOf } from "../directory/bootstrap.ts";
import { readOwner } from "../blobs/bucket-watch.ts";
import { ServerError } from "../errors.ts";
import { readS3Address } from "../s3/address.ts";
import { Bucket } from "../s3/bucket.ts";
import { databaseFault } from "../start/open-store.ts";
import { acmeFile } from "../tls/acme/renewal.ts";
import { readPair, reasonsAgainst } from "../tls/certificate.ts";
import type { CertificateText } from "../tls/certificate.ts";
import { parsePolicy } from "@latchkey/transparency";
import { examine } from "./examine.ts";
import type { DoctorFacts, RunningFacts } from "./examine.ts";
import type { Finding } from "./finding.ts";
import { readFolder } from "./folder.ts";
import { lookAround } from "./network.ts";

/**
 * Looks at a server and at what is around it. `running` is what it knows of itself, and its host; without it the server is down, and only
 * what lies there is looked at. Reads and asks; changes nothing.
 */
export async function diagnose(
  options: ServerOptions,
  running?: RunningFacts & { readonly host: string },
  nowMs: () => number = Date.now,
): Promise<Finding[]> {
  const host = running?.host ?? options.host ?? `localhost:${String(options.port)}`;
  const publicUrl = publicUrlOf(host, (options.tls ?? options.acme) !== undefined);
  const network = running === undefined ? undefined : await lookAround({ publicUrl, host, witnessUrls: witnessUrlsOf(options), nowMs });
  return examine({
    nowMs: nowMs(),
    host,
    publicUrl,
    registration: options.registration ?? "open",
    minFreeBytes: effectiveLimits(options).minFreeBytes,
    certificate: certificateReasons(options, host, nowMs()),
    database: options.database === undefined ? undefined : { fault: await databaseFault(options.database) },
    bucket: await bucketOf(options),
    webApp: webAppOf(options.webRoot),
    folder: await readFolder(options.dataDirectory, { isRunning: running !== undefined }),
    network,
    running,
  });
}

function witnessUrlsOf(options: ServerOptions): string[] {
  const { logPolicy } = policiesOf(options);
  const urls = logPolicy === "" ? [] : parsePolicy(logPolicy).witnesses.map(({ url }) => url);
  return [...new Set(urls.filter((url) => url !== undefined))];
}

function certificateReasons(options: ServerOptions, host: string, nowMs: number): string[] | undefined {
  const file = acmeFile(options.dataDirectory);
  const tls = options.acme === undefined ? options.tls : { certFile: file, keyFile: file };
  if (tls === undefined) return undefined;
  try {
    return reasonsAgainst(readPair(textOf(tls)), { host, nowMs }).map(({ message }) => message);
  } catch (error) {
    if (error instanceof ServerError) return [error.message];
    if (options.acme !== undefined) return ["No certificate has come by ACME yet: the server's log says why."];
    return ["The TLS files cannot be read: check --tls-cert and --tls-key, and that the server's user may read them."];
  }
}

function textOf(tls: NonNullable<ServerOptions["tls"]>): CertificateText {
  if ("certFile" in tls) return { cert: readFileSync(tls.certFile, "utf8"), key: readFileSync(tls.keyFile, "utf8") };
  const text = (value: string | Uint8Array): string => (typeof value === "string" ? value : new TextDecoder().decode(value));
  return { cert: text(tls.cert), key: text(tls.key) };
}

/** Looks whether the bucket of the blobs lets itself be read. */
async function bucketOf({ blobs }: ServerOptions): Promise<DoctorFacts["bucket"]> {
  if (blobs === undefined) return undefined;
  try {
    const bucket = new Bucket(readS3Address(blobs.at, blobs.environment ?? {}), { silenceMs: 10_000, tries: 1 });
    const owner = await readOwner(bucket);
    const fault = owner === undefined ? `${bucket.name} holds no server's blobs: start the server with it, or correct --blobs.` : undefined;
    return { name: bucket.name, fault };
  } catch (error) {
    if (error instanceof ServerError) return { name: blobs.at, fault: error.message };
    throw error;
  }
}

function webAppOf(webRoot: ServerOptions["webRoot"]): "there" | "missing" | "none" {
  if (webRoot === undefined) return "none";
  const isThere = typeof webRoot === "string" ? existsSync(join(webRoot, "index.html")) : webRoot.has("index.html");
  return isThere ? "there" : "missing";
}
