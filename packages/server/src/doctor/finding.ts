/** What `latchkey doctor` looks at. */
export type Topic =
  | "server"
  | "clock"
  | "disk"
  | "database"
  | "keys"
  | "certificate"
  | "web app"
  | "reachability"
  | "witnesses"
  | "blobs"
  | "backup"
  | "limits"
  | "registration";

/** One thing that was looked at: in order, worth knowing, or to be mended. One or two sentences: what it is, and what to do. */
export interface Finding {
  readonly topic: Topic;
  readonly state: "ok" | "note" | "todo";
  readonly message: string;
}

/** In order. */
export function ok(topic: Topic, message: string): Finding {
  return { topic, state: "ok", message };
}

/** Worth knowing; nothing has to be done. */
export function note(topic: Topic, message: string): Finding {
  return { topic, state: "note", message };
}

/** To be mended: the message says how. */
export function todo(topic: Topic, message: string): Finding {
  return { topic, state: "todo", message };
}
