import { nothingSetFor } from "@latchkey/client/own";
import type { AccountInfo, ContactRequests, Conversation, Member, Message, MessageBody, Person } from "@latchkey/client";

const minuteMs = 60_000;
const dayMs = 86_400_000;
const host = "chat.example.org";

function person(username: string, displayName: string, isSelf = false): Person {
  return {
    accountId: `account-${username}`,
    username,
    host,
    address: username,
    displayName,
    besideName: undefined,
    isSelf,
    isNameLookedUp: true,
  };
}

/** The people of the sample data. */
export const people: Readonly<Record<"me" | "ben" | "chidi" | "dana" | "ines" | "layla" | "long" | "mika" | "oskar", Person>> = {
  me: person("ada", "Ada Lindqvist", true),
  ben: person("ben", "Ben Okafor"),
  chidi: person("chidi_n", "Chidi"),
  dana: person("dana.k", "דנה כהן"),
  ines: person("ines.m", "ines.m"),
  layla: person("layla", "ليلى حدّاد"),
  long: person("anneliese", "Dr. Anneliese von Hohenstein-Sigmaringen zu Württemberg"),
  mika: person("mika", "Mika 🌱"),
  oskar: person("oskar", "oskar"),
};

/** This sample profile's account. */
export const sampleAccount: AccountInfo = {
  ...people.me,
  deviceId: "device-1",
  createdAtMs: Date.now() - 40 * dayMs,
  hasRecoveryPhrase: false,
  isRecovered: false,
};

/** A conversation of the sample data with its messages and members. */
export interface Sample {
  readonly conversation: Conversation;
  readonly messages: Message[];
  readonly members: readonly Member[];
}

let counter = 0;

/** A message of the sample data. */
export function sampleMessage(
  conversationId: string,
  author: Person | undefined,
  atMs: number,
  body: MessageBody | string,
  delivery?: Message["delivery"],
): Message {
  counter += 1;
  const own = author?.isSelf === true && typeof body === "string" ? ({ kind: "accepted", atMs } as const) : undefined;
  return {
    id: `message-${counter}`,
    conversationId,
    order: counter,
    author,
    body: typeof body === "string" ? { kind: "text", text: body } : body,
    sentAtMs: atMs,
    delivery: delivery ?? own,
  };
}

function sample(
  params: Pick<Conversation, "id" | "kind" | "title"> & Partial<Conversation> & { messages: Message[]; members: readonly Person[] },
): Sample {
  const { messages, members, ...rest } = params;
  const last = messages.at(-1);
  const unread = messages.filter(({ author }) => author !== undefined && !author.isSelf).at(-(rest.unreadCount ?? 0) || messages.length);
  return {
    conversation: {
      peer: params.kind === "direct" ? members[0] : undefined,
      memberCount: members.length + 1,
      lastMessage: last,
      updatedAtMs: last?.sentAtMs ?? Date.now(),
      unreadCount: 0,
      readThrough: (unread?.order ?? (last?.order ?? 0) + 1) - 1,
      timerS: 0,
      draft: "",
      status: "active",
      stop: undefined,
      offers: [],
      continuedIn: undefined,
      invitations: [],
      receipts: [],
      isBlocked: false,
      own: nothingSetFor,
      host,
      ...rest,
    },
    messages,
    members: [people.me, ...members].map((one, index) => ({ person: one, role: index === 0 ? "owner" : "member", deviceCount: 1 })),
  };
}

/** People who wait to be accepted. */
export function sampleRequests(): ContactRequests {
  const now = Date.now();
  return {
    list: [
      { id: people.ines.accountId, person: people.ines, receivedAtMs: now - 12 * minuteMs, count: 1, state: "asks" },
      { id: people.mika.accountId, person: people.mika, receivedAtMs: now - 3 * dayMs, count: 2, state: "asks" },
      { id: people.oskar.accountId, person: people.oskar, receivedAtMs: now - 9 * dayMs, count: 1, state: "failed" },
    ],
    dropped: 0,
  };
}

/** Every sample conversation. */
export function sampleConversations(): Sample[] {
  const now = Date.now();
  return [
    sample({ id: "ben", kind: "direct", title: people.ben.displayName, members: [people.ben], messages: withBen(now) }),
    sample({
      id: "house",
      kind: "group",
      title: "Housemates 🏠",
      unreadCount: 3,
      members: [people.ben, people.chidi, people.mika, people.long],
      messages: housemates(now),
    }),
    sample({
      id: "layla",
      kind: "direct",
      title: people.layla.displayName,
      unreadCount: 1,
      members: [people.layla],
      messages: withLayla(now),
    }),
    sample({
      id: "kitchen",
      kind: "group",
      title: "Kitchen renovation: plumbing, tiles, electrician and everything else that costs money",
      members: [people.oskar, people.long],
      draft: "I could be there on Thursday after",
      messages: [
        sampleMessage("kitchen", people.me, now - 26 * 60 * minuteMs, { kind: "created", name: "Kitchen renovation" }),
        sampleMessage(
          "kitchen",
          people.oskar,
          now - 25 * 60 * minuteMs,
          "The tiles arrive on Thursday, someone has to be there between 8 and 12",
        ),
        {
          ...sampleMessage("kitchen", people.oskar, now - 24 * 60 * minuteMs, "Pay the tiler to my new account, please"),
          doubt: "unproven",
        },
        { ...sampleMessage("kitchen", people.oskar, now - 23 * 60 * minuteMs, "The old one is closed"), doubt: "departed" },
        sampleMessage("kitchen", undefined, now - 22 * 60 * minuteMs, {
          kind: "unreadable",
          reason: "It is by a device that does not belong to the account that it names.",
        }),
      ],
    }),
    sample({
      id: "news",
      kind: "group",
      title: "Neighbourhood",
      unreadCount: 2000,
      members: [people.oskar, people.mika, people.dana],
      messages: neighbourhood(now),
    }),
    sample({
      id: "long",
      kind: "direct",
      title: people.long.displayName,
      members: [people.long],
      messages: [
        sampleMessage("long", people.long, now - 2 * dayMs, { kind: "created", name: "" }),
        sampleMessage("long", people.long, now - 2 * dayMs, longText()),
        sampleMessage("long", people.me, now - 2 * dayMs + minuteMs, "Thank you, I will read all of it tonight."),
      ],
    }),
    sample({
      id: "dana",
      kind: "direct",
      title: people.dana.displayName,
      members: [people.dana],
      messages: [
        sampleMessage("dana", people.dana, now - 3 * dayMs, "נתראה ביום שלישי ב-18:30, בסדר?"),
        sampleMessage("dana", people.me, now - 3 * dayMs, "כן! See you there 🙂"),
      ],
    }),
    sample({
      id: "failed",
      kind: "direct",
      title: people.oskar.displayName,
      members: [people.oskar],
      messages: [
        sampleMessage("failed", people.oskar, now - 4 * dayMs, "Did you get the photos?"),
        sampleMessage("failed", people.me, now - 4 * dayMs + minuteMs, "Not yet, can you send them again?", {
          kind: "failed",
          failure: { code: "unreachable_device", message: "", canRetry: true },
        }),
      ],
    }),
    sample({
      id: "alarm",
      kind: "group",
      title: "Book club",
      status: "paused",
      stop: {
        failure: { code: "change_unreadable", message: "A change by a member cannot be read by this device.", canRetry: false },
        by: people.chidi,
        removable: [],
      },
      members: [people.mika, people.chidi],
      messages: [
        sampleMessage("alarm", people.mika, now - 9 * dayMs, "Next one: The Left Hand of Darkness"),
        sampleMessage("alarm", undefined, now - 8 * dayMs, {
          kind: "alarm",
          reason: "The server showed this device another order of messages than it showed before. Somebody may be hiding messages.",
        }),
      ],
    }),
    sample({
      id: "restored",
      kind: "direct",
      title: people.mika.displayName,
      stop: {
        failure: {
          code: "conversation_unavailable",
          message: "The server has an older state of this conversation than this device. Perhaps it was restored from a backup.",
          canRetry: true,
        },
        by: undefined,
        removable: [],
      },
      members: [people.mika],
      messages: [sampleMessage("restored", people.mika, now - 20 * dayMs, "The keys are under the blue pot")],
    }),
    sample({
      id: "offered",
      kind: "group",
      title: "Choir",
      offers: [{ conversationId: "book", from: people.oskar, missing: [] }],
      members: [people.mika, people.oskar],
      messages: [sampleMessage("offered", people.oskar, now - 21 * dayMs, "Rehearsal moves to Thursday")],
    }),
    sample({
      id: "between",
      kind: "group",
      title: "Allotment",
      invitations: [
        { from: people.mika, wasMember: true, missing: [], instead: people.oskar, replaced: undefined, atMs: now - 22 * dayMs },
      ],
      members: [people.mika, people.oskar, people.chidi],
      messages: [sampleMessage("between", people.mika, now - 22 * dayMs, "Who has the spade?")],
    }),
    sample({
      id: "gone",
      kind: "group",
      title: "Flat hunting",
      status: "removed",
      invitations: [
        { from: people.chidi, wasMember: true, missing: [], instead: undefined, replaced: undefined, atMs: now - 39 * dayMs },
        { from: people.oskar, wasMember: false, missing: [], instead: undefined, replaced: undefined, atMs: now - 39 * dayMs },
      ],
      members: [people.chidi],
      messages: [
        sampleMessage("gone", people.chidi, now - 40 * dayMs, "We have one!"),
        sampleMessage("gone", people.chidi, now - 39 * dayMs, { kind: "removed", people: [people.me] }),
      ],
    }),
  ];
}

function withBen(now: number): Message[] {
  const ben = "ben";
  const yesterday = now - 25 * 60 * minuteMs;
  const from = now - 48 * minuteMs;
  return [
    sampleMessage(ben, people.ben, yesterday - 3 * minuteMs, { kind: "created", name: "" }),
    sampleMessage(ben, people.ben, yesterday, "Hey! I finally moved over here."),
    sampleMessage(ben, people.ben, yesterday + minuteMs, "Took two minutes, no phone number, nothing"),
    sampleMessage(ben, people.me, yesterday + 3 * minuteMs, "Welcome! So much quieter than the old group, isn’t it"),
    sampleMessage(ben, people.ben, yesterday + 4 * minuteMs, "😄"),
    sampleMessage(ben, people.me, from, "Are we still on for tonight?"),
    sampleMessage(
      ben,
      people.ben,
      from + 2 * minuteMs,
      "Yes! 19:00 at the usual place. I booked a table for four, under your name because they never get mine right.",
    ),
    sampleMessage(
      ben,
      people.ben,
      from + 3 * minuteMs,
      "The menu is here: https://example.org/menu/autumn?lang=en (the mushrooms are good)",
    ),
    sampleMessage(
      ben,
      people.me,
      from + 9 * minuteMs,
      "> I booked a table for four\n\nPerfect. Mika may be late, the last thing she wrote was `ETA 19:20`",
    ),
    sampleMessage(ben, people.me, from + 10 * minuteMs, "I’ll bring the **keys** and the book you lent me in spring, promise this time"),
    sampleMessage(ben, people.ben, from + 12 * minuteMs, "Ha. I had already given up on that one."),
    sampleMessage(ben, people.ben, from + 40 * minuteMs, "Leaving now"),
    sampleMessage(ben, people.me, now - 2 * minuteMs, "On my way too 🚲"),
    sampleMessage(ben, people.me, now - minuteMs, "Ten minutes", { kind: "pending" }),
  ];
}

function housemates(now: number): Message[] {
  const house = "house";
  const from = now - 3 * 60 * minuteMs;
  return [
    sampleMessage(house, people.me, from - 2 * dayMs, { kind: "created", name: "Housemates 🏠" }),
    sampleMessage(house, people.me, from - 2 * dayMs, { kind: "added", people: [people.ben, people.chidi, people.mika] }),
    sampleMessage(house, people.chidi, from - 2 * dayMs + minuteMs, "Hello everyone"),
    sampleMessage(
      house,
      people.mika,
      from - dayMs,
      "The boiler makes that noise again. I opened the little valve like last time and now it is quiet, but there is some water on the floor",
    ),
    sampleMessage(house, people.mika, from - dayMs + minuteMs, "Not much!"),
    sampleMessage(house, people.ben, from, "I can call the plumber tomorrow morning"),
    sampleMessage(house, people.me, from + minuteMs, "Please do. I wrote down the number:\n```\n+49 30 555 0199\nMo–Fr 8–16\n```"),
    sampleMessage(house, people.me, from + 2 * minuteMs, { kind: "added", people: [people.long] }),
    sampleMessage(house, people.long, from + 80 * minuteMs, "Good evening to all of you. I shall bring the tool box."),
    sampleMessage(house, people.chidi, now - 14 * minuteMs, "Who took the big pot"),
    sampleMessage(house, people.chidi, now - 13 * minuteMs, "🫠"),
  ];
}

function withLayla(now: number): Message[] {
  return [
    sampleMessage("layla", people.me, now - 6 * 60 * minuteMs, "مرحبا ليلى! هل وصل الطرد؟"),
    sampleMessage(
      "layla",
      people.layla,
      now - 5 * 60 * minuteMs,
      "نعم، وصل صباح اليوم. شكرًا جزيلًا! سأرسل لك الصور عندما أعود إلى البيت، فيها كل ما طلبته تقريبًا.",
    ),
  ];
}

const chatter = [
  "Has anyone seen a grey cat with a white paw?",
  "Yes, behind the bakery this morning",
  "Street cleaning on Friday, please move your cars",
  "Thanks!",
  "The library is open again. They have a new reading corner on the first floor and, according to the sign, coffee that one can drink.",
  "👍",
  "Does somebody have a ladder that I could borrow for an hour on Sunday?",
  "I do. Number 14, ring twice",
  "Lost: one blue glove. Found: three blue gloves.",
];

function neighbourhood(now: number): Message[] {
  const authors = [people.oskar, people.mika, people.dana, people.oskar];
  return Array.from({ length: 2040 }, (_, index) =>
    sampleMessage(
      "news",
      authors[(index * 7) % authors.length],
      now - (2040 - index) * 9 * minuteMs,
      chatter[(index * 5) % chatter.length] ?? "",
    ),
  );
}

function longText(): string {
  return Array.from(
    { length: 300 },
    (_, index) => `${index + 1}. Clause ${index + 1} of the house rules, as agreed by everyone present.`,
  ).join("\n");
}
