import { existsSync, readFileSync } from "node:fs";
import { chromium } from "playwright-core";
import type { BrowserContext, Page } from "playwright-core";

const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  `--disable-features=${[
    // As Playwright has it: of several such lists the last one counts.
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
    // Pages of the browser's own address bar, which nobody sees here: each start would load them, in a process of their own.
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "PreloadTopChromeWebUI",
  ].join(",")}`,
];

/** A camera and a microphone that are none, and that every page may use. */
const deviceFlags = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];

/** The sizes that the app is looked at in: a laptop and a phone. */
export const viewports = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } } as const;

/** A person's browser: one profile, kept in a folder. */
export interface BrowserProfile extends AsyncDisposable {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Breaches of the content security policy that any page of it reported. */
  readonly violations: string[];
  /** Errors that no script caught, and errors on the console. */
  readonly errors: string[];
  /** Closes the browser; afterwards every URL that pages and workers asked any server for, from the browser's own network log, where it keeps one. */
  closeAndListRequests(): Promise<string[]>;
}

/** Starts a browser on the profile in `folder`, with one page that is still empty. */
export async function openBrowser(params: {
  folder: string;
  viewport?: { width: number; height: number };
  /** A Y4M film that the browser's camera sees. */
  camera?: string;
  /** It has a microphone, which beeps once a second. */
  hasMicrophone?: boolean;
  /** The language of its system. */
  locale?: string;
  /** It keeps a log of what goes over the network, for `closeAndListRequests`. */
  isLogged?: boolean;
}): Promise<BrowserProfile> {
  const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
  if (!existsSync(executablePath)) throw new Error(`there is no Chromium at ${executablePath}: set CHROMIUM to its path`);
  const netLog = `${params.folder}.netlog.json`;
  const context = await chromium.launchPersistentContext(params.folder, {
    executablePath,
    headless: true,
    args: [
      ...flags,
      ...(params.isLogged === true ? [`--log-net-log=${netLog}`] : []),
      ...(params.camera === undefined && params.hasMicrophone !== true ? [] : deviceFlags),
      ...(params.camera === undefined ? [] : [`--use-file-for-fake-video-capture=${params.camera}`]),
    ],
    viewport: params.viewport ?? viewports.desktop,
    locale: params.locale ?? "en-GB",
    reducedMotion: "reduce",
  });
  context.setDefaultTimeout(60_000);
  const violations: string[] = [];
  const errors: string[] = [];
  context.on("weberror", (error) => errors.push(error.error().message));
  context.on("console", (message) => {
    if (message.text().includes("Content Security Policy")) violations.push(message.text());
    // A server that is killed leaves failed requests behind: the browser's own lines about them are no error of the app.
    else if (
      message.type() === "error" &&
      !/ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE|INTERNET_DISCONNECTED)|WebSocket connection to/.test(message.text())
    )
      errors.push(message.text());
  });
  await context.exposeBinding("reportViolation", (_source, text: string) => violations.push(text));
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => {
      const report: unknown = Reflect.get(globalThis, "reportViolation");
      if (typeof report === "function") Reflect.apply(report, undefined, [`${event.violatedDirective}: ${event.blockedURI}`]);
    });
  });
  const page = context.pages()[0] ?? (await context.newPage());
  let isClosed = false;
  const close = async (): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    await context.close();
  };
  return {
    context,
    page,
    violations,
    errors,
    async closeAndListRequests() {
      await close();
      return requestsIn(readFileSync(netLog, "utf8"));
    },
    [Symbol.asyncDispose]: close,
  };
}

/** URLs of the requests in a network log that some page or worker asked for: the browser's own errands have no such initiator. */
function requestsIn(netLog: string): string[] {
  const { constants, events } = JSON.parse(netLog) as {
    constants: { logEventTypes: Record<string, number> };
    events: { type: number; params?: { url?: string; initiator?: string } }[];
  };
  const start = constants.logEventTypes["URL_REQUEST_START_JOB"];
  return events.flatMap(({ type, params }) =>
    type === start && params?.url !== undefined && /^https?:/.test(params.initiator ?? "") ? [params.url] : [],
  );
}
