import { cleanName } from "./clean.ts";

/** Names under which nobody else is shown: the app says them of oneself, of nobody in particular, of itself and of whoever runs the server. */
const takenWords = ["you", "me", "myself", "yourself", "someone", "everyone", "latchkey", "server", "system"].concat([
  "admin",
  "administrator",
  "moderator",
  "support",
  "help",
  "helpdesk",
  "security",
]);

interface Named {
  readonly name: string;
  /** What it looks like; none before the table of look-alike characters is there. */
  readonly looks: readonly string[];
}

/** How one person is shown among all that this profile knows. */
export interface ShownName {
  readonly displayName: string;
  /** Whether somebody else's name looks the same. */
  readonly isShared: boolean;
}

/**
 * Names that cannot lie (spec E-63): each person by the name of their own making, unless that is somebody else's username, the server's
 * name or a word that the app says of itself; and which of them look alike. Pure but for `prepare`.
 */
export class ShownNames {
  readonly #names = new Map<string, Named>();
  readonly #usernames = new Map<string, Named>();
  readonly #byLook = { names: new Map<string, Set<string>>(), usernames: new Map<string, Set<string>>() };
  #serverNames: readonly string[] = [];
  #taken: ReadonlySet<string> = new Set();
  #looksOf: ((name: string) => readonly string[]) | undefined;

  /** Fetches the table of look-alike characters. Where it cannot be had, every name counts as shared. */
  async prepare(): Promise<void> {
    try {
      const { skeletonsOf } = await import("./skeleton.ts");
      this.#looksOf = skeletonsOf;
    } catch {
      return;
    }
    for (const kind of ["names", "usernames"] as const) {
      const known = kind === "names" ? this.#names : this.#usernames;
      for (const [id, { name }] of known) this.#set(kind, id, name);
    }
    this.#takeWords();
  }

  /** What the server is called, by its host and by itself. */
  setServerNames(names: readonly string[]): void {
    this.#serverNames = names.map((name) => cleanName(name)).filter((name) => name !== "");
    this.#takeWords();
  }

  #takeWords(): void {
    const looksOf = this.#looksOf;
    if (looksOf !== undefined) this.#taken = new Set([...takenWords, ...this.#serverNames].flatMap((word) => looksOf(word)));
  }

  /** The name by which an account wants to be shown; "" for none. */
  setName(id: string, text: string): void {
    const name = cleanName(text);
    if (this.#names.get(id)?.name !== name) this.#set("names", id, name);
  }

  /** The name that the account is bound to. */
  setUsername(id: string, username: string): void {
    if (this.#usernames.get(id)?.name !== username) this.#set("usernames", id, username);
  }

  #set(kind: "names" | "usernames", id: string, name: string): void {
    const known = kind === "names" ? this.#names : this.#usernames;
    const index = this.#byLook[kind];
    for (const look of known.get(id)?.looks ?? []) index.get(look)?.delete(id);
    const looks = name === "" ? [] : (this.#looksOf?.(name) ?? []);
    known.set(id, { name, looks });
    for (const look of looks) {
      const ids = index.get(look);
      if (ids === undefined) index.set(look, new Set([id]));
      else ids.add(id);
    }
  }

  /** How `id`, whose username is `username`, is shown. */
  shown(id: string, username: string): ShownName {
    const own = this.#names.get(id);
    const bound = this.#usernames.get(id) ?? { name: username, looks: [] };
    const goesBy = own !== undefined && own.name !== "" && !this.#isTaken(id, own) ? own : bound;
    const isShared =
      this.#looksOf === undefined ||
      goesBy.looks.some((look) => this.#hasOthers("names", look, id) || this.#hasOthers("usernames", look, id));
    return { displayName: goesBy.name, isShared };
  }

  #isTaken(id: string, { looks }: Named): boolean {
    return looks.some((look) => this.#taken.has(look) || this.#hasOthers("usernames", look, id));
  }

  #hasOthers(kind: "names" | "usernames", look: string, id: string): boolean {
    const ids = this.#byLook[kind].get(look);
    return ids !== undefined && (ids.size > 1 || (ids.size === 1 && !ids.has(id)));
  }
}
