import { mediaPath } from "../media-worker/messages.ts";
import { sharePath } from "./messages.ts";

/** What of a request decides who answers it. */
export interface Asked {
  readonly method: string;
  /** It asks for a page of a window. */
  readonly isPage: boolean;
  readonly url: URL;
}

/** Who answers a request. */
export type Answerer =
  /** The worker of files that are shown. */
  | "media"
  /** What another app shared with this one. */
  | "share"
  /** The app's page, whatever the path. */
  | "page"
  /** The kept file of this path. */
  | "file"
  /** The network, as if there were no worker. */
  | "network";

/** What the addresses of the app's own pages begin with (state/router.ts). Every other page is as the server has it now, such as those of its own side. */
const ownPages = /^\/(?:$|(?:c|join|link|new|recover|requests|settings|share)(?:\/|$))/;

/** Who answers. `isKept`: whether a path is one of the files of the build. */
export function answererOf({ method, isPage, url }: Asked, ownOrigin: string, isKept: (path: string) => boolean): Answerer {
  const { origin, pathname } = url;
  if (origin !== ownOrigin) return "network";
  if (pathname.startsWith(mediaPath)) return "media";
  if (method === "POST" && isPage && pathname === sharePath) return "share";
  if (method !== "GET") return "network";
  if (isPage) return ownPages.test(pathname) ? "page" : "network";
  return pathname !== "/" && isKept(pathname) ? "file" : "network";
}
