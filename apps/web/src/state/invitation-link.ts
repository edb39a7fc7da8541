import { formatRoute } from "./router.ts";

/** The link by which others write to this person. */
export function ownLink(origin: string, username: string): string {
  return `${origin}${formatRoute({ kind: "new", to: username })}`;
}

/** The code in the fragment of an invitation's link, `#invitation=CODE`, which no server gets to see; "" where there is none. */
export function invitationOfFragment(fragment: string): string {
  const code = new URLSearchParams(fragment.replace(/^#/, "")).get("invitation") ?? "";
  return /^[\w -]{1,128}$/.test(code) ? code : "";
}

/** Takes the code of the link by which this page was opened out of its address, where the next person at this screen could read it. */
export function forgetInvitation(window: Window): void {
  if (invitationOfFragment(window.location.hash) === "") return;
  window.history.replaceState(window.history.state, "", window.location.pathname + window.location.search);
}
