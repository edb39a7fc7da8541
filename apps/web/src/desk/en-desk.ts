/** The words of the operator's page: loaded with it, by nobody else. */

const plural = new Intl.PluralRules("en");

function count(n: number, one: string, other: string): string {
  return `${n.toLocaleString("en")} ${plural.select(n) === "one" ? one : other}`;
}

const registrations: Readonly<Record<string, string>> = { open: "anybody", invitation: "whoever is invited", closed: "nobody" };

const quotas: Readonly<Record<string, string>> = {
  "max-accounts": "Accounts at most",
  "blob-megabytes-per-day": "Megabytes of files a day",
};

const limits: Readonly<Record<string, string>> = {
  storage_full: "for want of room",
  rate_limited: "as too many at once",
  inbox_full: "since an inbox was full",
  too_many_updates: "since an account changed too often",
  registration_closed: "for want of an invitation",
};

/** The English catalogue of the page. */
export const deskWords = {
  title: "Desk",
  heading: "This server",
  readOnly: "What the server says about itself. This page changes nothing: that is done on the machine, with latchkey admin.",
  loading: "Reading",
  close: "Close the desk",
  readAgain: "Read again",
  readAt: (time: string): string => `Read at ${time}`,

  closed: {
    closed: {
      title: "The desk is closed",
      advice: "It opens with a link that is made on the machine of the server, by whoever runs it. Each link counts once, for ten minutes.",
    },
    used: {
      title: "This link was used before",
      advice:
        "What it had opened is closed now. If it was not you who opened it, somebody else has seen the link: make another one, and give it to nobody.",
    },
    ended: {
      title: "The session has ended",
      advice: "Its four hours are over, it was revoked, or the server was restarted. Make another link.",
    },
    command: "latchkey admin desk open",
  },
  failed: { title: "The server did not answer", advice: "What is shown may be old. Check the connection, and whether the server runs." },
  busy: "Too many requests at once. Wait a minute.",

  health: { good: "The server is well", bad: "The server is not well" },
  sections: {
    doctor: "What doctor finds",
    numbers: "Numbers",
    accounts: "Accounts",
    invitations: "Invitations",
    suspended: "Suspended accounts",
    reserved: "Reserved names",
    bounds: "Your bounds",
    announcement: "Announcement",
  },
  examining: "Looking at the clock, the disk, the network and the witnesses",
  states: { ok: "In order", note: "Worth knowing", todo: "To be mended" },
  inOrder: (n: number): string => count(n, "thing is in order", "things are in order"),
  rows: {
    version: "Version",
    up: "Running for",
    registration: "May register",
    accounts: "Accounts",
    connections: "Connections",
    watchedLogs: "Conversations read now",
    database: "Database",
    files: "Files",
    free: "Free on the disk",
    record: "Public record",
    backup: "Last backup",
    schedule: "Backups by itself",
    limits: "Refused since the start",
  },
  registration: (policy: string): string => registrations[policy] ?? policy,
  files: (size: string, n: number): string => `${size} in ${count(n, "file", "files")}`,
  record: (entries: number, witnesses: number, isMet: boolean): string =>
    `${count(entries, "entry", "entries")}, ${witnesses === 0 ? "no witnesses" : `${count(witnesses, "witness", "witnesses")}, ${isMet ? "enough" : "too few"} answer`}`,
  schedule: (hours: number, kept: number): string =>
    hours === 0 ? "no" : `every ${count(hours, "hour", "hours")}, ${kept.toLocaleString("en")} are kept`,
  limit: (code: string, n: number): string => `${count(n, "request", "requests")} ${limits[code] ?? code}`,
  duration: (seconds: number): string => {
    const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor((seconds % 86_400) / 3600), Math.floor((seconds % 3600) / 60)];
    if (days > 0) return `${count(days, "day", "days")} ${count(hours, "hour", "hours")}`;
    return hours > 0 ? `${count(hours, "hour", "hours")} ${count(minutes, "minute", "minutes")}` : count(minutes, "minute", "minutes");
  },
  accounts: (n: number): string => count(n, "account", "accounts"),
  more: "Show more",
  suspendedMark: "suspended",
  invitation: (uses: number, day: string): string => `${count(uses, "use", "uses")} left, until ${day}`,
  since: (day: string): string => `since ${day}`,
  quota: (name: string): string => quotas[name] ?? name,
  noBound: "no bound",
  never: "never",
  none: "none",
  empty: {
    accounts: "Nobody has registered yet.",
    invitations: "No invitation counts now.",
    suspended: "Nobody is suspended.",
    reserved: "No name is reserved.",
    announcement: "Nothing is announced.",
  },
} as const;
