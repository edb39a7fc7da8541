import type { Server as HttpServer } from "node:http";
import { Server as TlsServer } from "node:tls";
import type { ServerOptions } from "../config.ts";
import { PlainHttp, plainBounds } from "./acme/plain-http.ts";
import { acmeFile, Renewal } from "./acme/renewal.ts";
import { CertificateKeeper } from "./keeper.ts";
import type { CertificateWorld } from "./keeper.ts";

const plainPort = 80;

/** All that TLS is made of: the certificate, its renewal, and the plain port that answers challenges and leads to HTTPS. */
export class Front {
  /** Where the server speaks TLS itself. */
  readonly certificates: CertificateKeeper | undefined;
  readonly #plain: { readonly http: PlainHttp; readonly address: string; readonly port: number } | undefined;
  readonly #renewal: Renewal | undefined;

  private constructor(certificates: CertificateKeeper | undefined, options: ServerOptions, world: CertificateWorld) {
    this.certificates = certificates;
    const { acme, host = "localhost", dataDirectory, httpPort = acme === undefined ? undefined : plainPort } = options;
    if (httpPort === undefined || certificates === undefined) return;
    const http = new PlainHttp(host);
    this.#plain = { http, address: options.address ?? "127.0.0.1", port: httpPort };
    if (acme === undefined) return;
    const show = (token: string, answer: string): (() => void) => http.show(token, answer);
    this.#renewal = new Renewal({ keeper: certificates, world, dataDirectory, order: { ...acme, name: host.replace(/:\d+$/, ""), show } });
  }

  /** Reads the certificate. @throws ServerError `tls_unusable` */
  static async open(options: ServerOptions, world: CertificateWorld): Promise<Front> {
    const { tls, acme, host = "localhost", dataDirectory } = options;
    const file = acmeFile(dataDirectory);
    const source = acme === undefined ? tls : { certFile: file, keyFile: file };
    const certificates =
      source === undefined ? undefined : await CertificateKeeper.open({ source, host, world, isAwaited: acme !== undefined });
    return new Front(certificates, options, world);
  }

  /** Most sockets that the plain port has open. */
  get maxSockets(): number {
    return this.#plain === undefined ? 0 : plainBounds.maxSockets;
  }

  /** Listens on the plain port; new certificates go to `server`, and are ordered from now on. @throws ServerError */
  async start(server: HttpServer): Promise<void> {
    if (server instanceof TlsServer) this.certificates?.attach(server);
    if (this.#plain !== undefined) await this.#plain.http.listen(this.#plain);
    this.#renewal?.start();
  }

  /** Gives up what is under way. */
  async close(): Promise<void> {
    await this.#renewal?.close();
    this.certificates?.close();
    await this.#plain?.http.close();
  }
}
