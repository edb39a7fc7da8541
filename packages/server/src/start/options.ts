import { utf8Bytes } from "@latchkey/codec";
import { isHost } from "@latchkey/protocol";
import { maxPushServices } from "@latchkey/protocol/wakes";
import { noProxies, parseProxies } from "../addresses.ts";
import type { TrustedProxies } from "../addresses.ts";
import type { ServerOptions } from "../config.ts";
import { ServerError } from "../errors.ts";

/** Bytes of the server's name in the hello frame (spec C-5). */
const maxNameBytes = 256;

/** Refuses a name or port that no server can have. @throws ServerError `invalid_options` */
export function checkOptions(options: ServerOptions): void {
  if (options.host !== undefined && !isHost(options.host)) {
    throw new ServerError("invalid_options", `"${options.host}" is no host name: use a lower-case DNS name, with :port unless it is 443.`);
  }
  const { pushServices = [] } = options;
  const strange = pushServices.find((service) => !isHost(service.replace(/^\*\./, "")));
  if (strange !== undefined || pushServices.length > maxPushServices) {
    const message = `The push services are no list of ${maxPushServices} hosts at most: write for example push.example.org,*.example.com.`;
    throw new ServerError("invalid_options", message);
  }
  const nameBytes = options.serverName === undefined ? 1 : utf8Bytes(options.serverName).length;
  if (nameBytes < 1 || nameBytes > maxNameBytes) {
    throw new ServerError("invalid_options", `The server's name has ${nameBytes} bytes: use 1 to ${maxNameBytes}.`);
  }
  const { nats } = options.database ?? {};
  if (nats?.split(",").some((each) => !URL.canParse(each.trim()) || new URL(each.trim()).protocol !== "nats:") === true)
    throw new ServerError("invalid_options", "The address of NATS is not of the form nats://host:4222, several with commas between them.");
  if (!Number.isInteger(options.port) || options.port < 0 || options.port > 65_535) {
    throw new ServerError("invalid_options", `${options.port} is no port: use a number from 0 to 65535.`);
  }
}

/** The proxies that the options name; none where they name none. @throws ServerError `invalid_options` */
export function proxiesOf({ trustProxy }: ServerOptions): TrustedProxies {
  if (trustProxy === undefined || trustProxy === false) return noProxies;
  const proxies = parseProxies(trustProxy === true ? "loopback,private" : trustProxy);
  if (proxies === undefined) {
    throw new ServerError(
      "invalid_options",
      "The trusted proxies are no list of addresses or networks: write for example 127.0.0.1,10.0.0.0/8.",
    );
  }
  return proxies;
}
