import { watch } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Server as TlsServer } from "node:tls";
import { ServerError } from "../errors.ts";
import { readPair, reasonsAgainst } from "./certificate.ts";
import type { CertificatePair, CertificateReason, CertificateText } from "./certificate.ts";

/** Where the certificate comes from: given once, or two files that are read again whenever they change. */
export type CertificateSource =
  | { readonly cert: string | Uint8Array; readonly key: string | Uint8Array }
  | { readonly certFile: string; readonly keyFile: string };

/** What a keeper needs of the world. */
export interface CertificateWorld {
  readonly nowMs: () => number;
  /** Calls `run` after `delayMs`; the result calls it off. */
  readonly setTimer: (delayMs: number, run: () => void) => () => void;
  /** One line for the operator. */
  readonly warn: (message: string) => void;
}

/** Files are looked at so often even where no change is told: network file systems tell none. */
const checkMs = 600_000;
/** Both files of a new pair are written one after the other: they are read when it has been quiet for so long. */
const quietMs = 1000;
const maxFileBytes = 131_072;

/**
 * Keeps the server's certificate: hands a new one to the running TLS server, whose connections go on, and knows what is wrong
 * with it. A new pair that cannot be used is one line in the log, and the old one stays.
 */
export class CertificateKeeper {
  readonly #source: CertificateSource;
  readonly #host: string;
  readonly #world: CertificateWorld;
  #pair: CertificatePair | undefined;
  #server: Pick<TlsServer, "setSecureContext"> | undefined;
  #notReplaced: CertificateReason | undefined;
  #said = new Set<string>();
  #stops: (() => void)[] = [];
  #reading: Promise<void> | undefined;

  private constructor(params: { source: CertificateSource; host: string; world: CertificateWorld }) {
    this.#source = params.source;
    this.#host = params.host;
    this.#world = params.world;
  }

  /**
   * Reads the certificate for the first time, and says what is wrong with it.
   * @param host the server's public name
   * @param isAwaited the files may be missing or useless: ACME is going to write them
   * @throws ServerError `tls_unusable` where there is none to start with
   */
  static async open(params: {
    source: CertificateSource;
    host: string;
    world: CertificateWorld;
    isAwaited?: boolean;
  }): Promise<CertificateKeeper> {
    const keeper = new CertificateKeeper(params);
    try {
      keeper.#pair = readPair(await keeper.#read());
    } catch (error) {
      if (params.isAwaited !== true) throw error;
    }
    keeper.#sayNew();
    return keeper;
  }

  /** The pair in use. */
  get pair(): CertificatePair | undefined {
    return this.#pair;
  }

  /** What a TLS server is made with: nothing while there is no certificate, when every handshake fails. */
  secureOptions(): Partial<CertificateText> {
    return this.#pair === undefined ? {} : { cert: this.#pair.cert, key: this.#pair.key };
  }

  /** What is wrong now, gravest first. */
  reasons(): CertificateReason[] {
    const own = this.#pair === undefined ? [missing] : reasonsAgainst(this.#pair, { host: this.#host, nowMs: this.#world.nowMs() });
    return this.#notReplaced === undefined ? own : [...own, this.#notReplaced];
  }

  /** From now on a new pair goes to this server; changes of the files are watched for. */
  attach(server: Pick<TlsServer, "setSecureContext">): void {
    this.#server = server;
    this.#every(checkMs, () => void this.reload());
    if (!("certFile" in this.#source)) return;
    for (const [folder, names] of foldersOf(this.#source)) this.#watch(folder, names);
  }

  /** Reads the files again and uses what they hold, if it can be used. Never throws. */
  async reload(): Promise<void> {
    // Who asks while the files are being read gets a reading that began after the question.
    await this.#reading;
    this.#reading ??= this.#reloadOnce().finally(() => {
      this.#reading = undefined;
    });
    await this.#reading;
  }

  /** That something else keeps the certificate from being replaced; `undefined` when it does no longer. */
  setObstacle(message: string | undefined): void {
    this.#notReplaced = message === undefined ? undefined : { code: "certificate_not_replaced", isFailure: false, message };
    this.#sayNew();
  }

  /** Watches no longer. */
  close(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  async #reloadOnce(): Promise<void> {
    try {
      const text = await this.#read();
      if (text.cert === this.#pair?.cert && text.key === this.#pair.key) this.setObstacle(undefined);
      else this.#use(readPair(text));
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      const kept = this.#pair === undefined ? "" : " The certificate in use is kept.";
      this.setObstacle(`A new certificate cannot be used. ${error.message}${kept}`);
    }
  }

  #use(pair: CertificatePair): void {
    this.#pair = pair;
    this.#server?.setSecureContext({ cert: pair.cert, key: pair.key });
    this.setObstacle(undefined);
  }

  async #read(): Promise<CertificateText> {
    if ("certFile" in this.#source) {
      const { certFile, keyFile } = this.#source;
      return { cert: await readText("certificate", certFile), key: await readText("key", keyFile) };
    }
    return { cert: textOf(this.#source.cert), key: textOf(this.#source.key) };
  }

  /** Says once what is wrong, and again only after it was right. */
  #sayNew(): void {
    const messages = new Set(this.reasons().map(({ message }) => message));
    for (const message of messages) if (!this.#said.has(message)) this.#world.warn(message);
    this.#said = messages;
  }

  #every(intervalMs: number, run: () => void): void {
    const next = (): void => {
      cancel = this.#world.setTimer(intervalMs, next);
      run();
    };
    let cancel = this.#world.setTimer(intervalMs, next);
    this.#stops.push(() => cancel());
  }

  /** Folders are watched, not files: a new file in an old one's place would not be seen. */
  #watch(folder: string, names: ReadonlySet<string>): void {
    let cancel = (): void => undefined;
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        // Some tools replace a link that the named one leads through (such as `..data`): any link may be it.
        if (name !== null && !names.has(name) && !name.startsWith("..")) return;
        cancel();
        cancel = this.#world.setTimer(quietMs, () => void this.reload());
      });
      // What cannot be watched is still looked at now and then.
      watcher.on("error", () => watcher.close());
      this.#stops.push(() => {
        cancel();
        watcher.close();
      });
    } catch {
      // As above.
    }
  }
}

const missing: CertificateReason = {
  code: "certificate_missing",
  isFailure: true,
  message: "There is no TLS certificate yet: browsers cannot connect until one has come.",
};

function foldersOf({ certFile, keyFile }: { certFile: string; keyFile: string }): Map<string, Set<string>> {
  const folders = new Map<string, Set<string>>();
  for (const file of [certFile, keyFile]) folders.set(dirname(file), (folders.get(dirname(file)) ?? new Set()).add(basename(file)));
  return folders;
}

async function readText(what: "certificate" | "key", path: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new ServerError("tls_unusable", `The TLS ${what} ${path} cannot be read: check the path and its permissions.`, { cause });
  }
  if (bytes.length > maxFileBytes) throw new ServerError("tls_unusable", `${path} is larger than a TLS ${what} can be.`);
  return bytes.toString("utf8");
}

function textOf(value: string | Uint8Array): string {
  return typeof value === "string" ? value : new TextDecoder().decode(value);
}
