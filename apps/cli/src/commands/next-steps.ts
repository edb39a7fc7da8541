import { existsSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { table } from "./admin-text.ts";

/** What has been configured, and how the server was started. */
export interface StartFacts {
  readonly options: {
    readonly host?: string;
    readonly tls?: object;
    readonly acme?: object;
    readonly trustProxy?: boolean | string;
    readonly registration?: "open" | "invitation" | "closed";
    readonly witnesses?: readonly object[];
    readonly logPolicy?: string;
    readonly backups?: object;
    readonly dataDirectory: string;
  };
  /** The server's public URL. */
  readonly url: string;
  readonly workingDirectory: string;
  /** Whether `npm start` started it, in a checkout. */
  readonly isCheckout: boolean;
}

/**
 * The short page of what to do next: a line and a command for each thing that is not configured yet; "" where nothing is left.
 * Commands can be typed as they stand, but for what is in capitals and the example's name.
 */
export function nextSteps(facts: StartFacts): string {
  const { options, workingDirectory, isCheckout } = facts;
  const start = isCheckout ? "npm start --" : "latchkey serve";
  const folder = relative(workingDirectory, options.dataDirectory);
  const shown = folder.startsWith("..") ? options.dataDirectory : folder;
  const data = options.dataDirectory === resolve(workingDirectory, "data") ? "" : ` --data ${quoted(shown)}`;
  const serve = `${start}${data}`;
  const latchkey = (command: string): string => `${isCheckout ? "./latchkey" : "latchkey"} ${command}${data}`;
  const isLocal = options.host === undefined;
  const isOpen = (options.registration ?? "open") === "open";
  const isWatched = (options.witnesses ?? []).length > 0 || (options.logPolicy ?? "") !== "";
  const hasBackups = options.backups !== undefined || existsSync(join(options.dataDirectory, "last-backup.json"));
  const steps: (readonly [string, string])[] = [
    ...(isLocal
      ? ([
          ["Host name", `${start} --host chat.example.org --data chat`],
          ["", "It is part of every address for ever, and a data folder keeps that of its first start: choose it before people register."],
        ] as const)
      : []),
    ...((options.tls ?? options.acme) === undefined && options.trustProxy !== true
      ? ([
          ["TLS", `${serve} --tls-cert cert.pem --tls-key key.pem`],
          ["", "Or a proxy in front and --trust-proxy yes: browsers on other machines open the app over https:// only."],
        ] as const)
      : []),
    ...(isOpen
      ? ([
          ["Invitations", `${serve} --registration invitation`],
          ["", `Now anybody who reaches the server may register. With that, ${latchkey("admin invite create")} lets one in.`],
        ] as const)
      : []),
    ...(isWatched
      ? []
      : ([
          ["Witnesses", `${latchkeyOf(isCheckout)} witness --server ${facts.url} --key witness.key --name NAME`],
          ["", `Run by others, it prints one line: ${serve} --witness "LINE". They keep this server from showing people different keys.`],
        ] as const)),
    ...(hasBackups
      ? []
      : ([
          ["Backup", latchkey("backup PLACE")],
          ["", `Or ${serve} --backup-to PLACE, by itself every day.`],
        ] as const)),
  ];
  if (steps.length === 0) return "";
  const rows = [
    ...steps,
    ["Check", latchkey("doctor")],
    ["", "Options may stand in latchkey.config.json too. More: docs/operations.md"],
  ] as const;
  const lines = table(rows)
    .split("\n")
    .map((line) => `  ${line}`);
  return `\nWhat to do next:\n\n${lines.join("\n")}\n`;
}

function latchkeyOf(isCheckout: boolean): string {
  return isCheckout ? "./latchkey" : "latchkey";
}

function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `"${path}"`;
}
