import { isIP } from "node:net";
import { resolve } from "node:path";
import { invalidOption } from "../errors.ts";
import { wholeNumber } from "../settings.ts";

/** The part of the server's options that is about TLS. */
export interface FrontOptions {
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  readonly acme?: { readonly email: string; readonly directoryUrl: string };
  readonly httpPort?: number;
}

const letsEncrypt = "https://acme-v02.api.letsencrypt.org/directory";

/** How the server speaks TLS itself, from its settings. @throws CommandError `invalid_option` */
export function frontOptions(
  one: (flag: string) => string | undefined,
  { host, workingDirectory }: { host: string | undefined; workingDirectory: string },
): FrontOptions {
  const [certFile, keyFile, email] = [one("tls-cert"), one("tls-key"), one("acme")];
  const [directory, agreed, httpPort] = [one("acme-directory"), one("acme-agree"), one("http-port")];
  if ((certFile === undefined) !== (keyFile === undefined)) throw invalidOption("--tls-cert and --tls-key belong together");
  const plain = httpPort === undefined ? {} : { httpPort: wholeNumber("--http-port", httpPort, { least: 1, most: 65_535 }) };
  if (email === undefined) {
    if (directory !== undefined || agreed !== undefined) throw invalidOption("--acme-directory and --acme-agree need --acme");
    if (certFile !== undefined && keyFile !== undefined) {
      return { tls: { certFile: resolve(workingDirectory, certFile), keyFile: resolve(workingDirectory, keyFile) }, ...plain };
    }
    if (httpPort !== undefined) throw invalidOption("--http-port leads visitors to HTTPS: it needs --acme, or --tls-cert and --tls-key");
    return {};
  }
  if (certFile !== undefined) throw invalidOption("--acme gets a certificate by itself: it does without --tls-cert and --tls-key");
  if (!/^[^\s@<>",]+@[^\s@<>",]+$/.test(email))
    throw invalidOption("--acme takes the e-mail address that the certificate authority writes to");
  if (agreed !== "yes") {
    throw invalidOption(
      "--acme needs --acme-agree yes: the certificate authority asks that you accept its terms, which its web site shows",
    );
  }
  const name = host?.replace(/:\d+$/, "");
  if (name === undefined || name === "localhost" || !name.includes(".") || isIP(name) !== 0) {
    throw invalidOption("--acme needs --host with a DNS name that leads to this machine from everywhere");
  }
  if (directory !== undefined && !(URL.canParse(directory) && new URL(directory).protocol === "https:")) {
    throw invalidOption("--acme-directory takes an https URL");
  }
  return { acme: { email, directoryUrl: directory ?? letsEncrypt }, ...plain };
}
