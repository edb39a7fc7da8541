import type { Logger } from "pino";
import type { Bus } from "../bus/bus.ts";
import { LocalHub } from "../bus/local-bus.ts";
import { LineBus, defaultPatience } from "../bus/line-bus.ts";
import type { BusPatience } from "../bus/line-bus.ts";
import { natsLine } from "../bus/nats-line.ts";
import { notifyLine } from "../bus/notify-line.ts";
import { splitBus } from "../bus/split-bus.ts";
import type { ServerOptions } from "../config.ts";
import { postgresOf } from "./open-store.ts";

/** Opens the way to the other processes on this one's database, which there are none of where it has its own. It needs nobody to be there. */
export function openBus(params: {
  options: ServerOptions;
  /** The directory's secret, which all nodes have. */
  secret: Uint8Array;
  patience: Partial<BusPatience> | undefined;
  log: Logger;
  reportBug: (error: unknown) => void;
}): Bus {
  const { options, secret, patience, log, reportBug } = params;
  if (options.database === undefined) return new LocalHub().join(reportBug);
  let isTold = false;
  const onStrange = (): void => {
    if (!isTold) log.warn("somebody tells the servers of this database what this one cannot read: have all the same keys?");
    isTold = true;
  };
  const { url, accountsUrl = url, schemas } = postgresOf(options.database);
  const { answerMs } = { ...defaultPatience, ...patience };
  const { nats } = options.database;
  const open = (at: string, channel: string): Bus => {
    const openLine = nats === undefined ? notifyLine({ url: at, channel, answerMs }) : natsLine({ url: nats, channel, answerMs });
    return new LineBus({ openLine, channel, secret, ...(patience === undefined ? {} : { patience }), reportBug, onStrange });
  };
  return splitBus(open(url, schemas.logs), open(accountsUrl, schemas.accounts));
}
