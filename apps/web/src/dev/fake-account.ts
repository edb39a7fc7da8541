import type {
  AccountInfo,
  Alarm,
  Client,
  ClientErrorCode,
  ClientEvent,
  ClientFailure,
  LinkState,
  Member,
  MemberVerification,
  OwnDevice,
  Person,
  SafetyNumber,
} from "@latchkey/client";
import { RemoteError } from "../worker/protocol.ts";
import { people } from "./sample-data.ts";

const minuteMs = 60_000;
const dayMs = 86_400_000;

/** The methods of `Client` that have to do with the account, its devices, and what is verified of others. */
export type AccountMethods = Pick<
  Client,
  | "recoveryPhrase"
  | "forgetRecoveryPhrase"
  | "recover"
  | "devices"
  | "removeDevice"
  | "removeOtherDevices"
  | "offerLink"
  | "acceptLink"
  | "confirmLink"
  | "cancelLink"
  | "deleteAccount"
  | "erase"
  | "verification"
  | "aboutPerson"
  | "safetyNumber"
  | "scanSafetyNumber"
  | "markVerified"
  | "alarms"
  | "acknowledgeAlarm"
  | "directoryStatus"
>;

/** What the fake account needs of the rest of the fake client. */
export interface FakeSurroundings {
  readonly scene: string;
  emit(event: ClientEvent): void;
  account(): AccountInfo | undefined;
  setAccount(account: AccountInfo): void;
  members(conversationId: string): readonly Member[];
}

/** The 24 words of the sample account (a phrase of the BIP-39 test vectors). */
export const samplePhrase: readonly string[] =
  "void come effort suffer camp survey warrior heavy shoot primary clutch crush open amazing screen patrol group space point ten exist slush involve unfold".split(
    " ",
  );

function failure(code: ClientErrorCode): ClientFailure {
  return { code, message: code, canRetry: true };
}

function fail(code: ClientErrorCode): never {
  throw new RemoteError(failure(code));
}

/** Alarms of the scene `alarms`: one of every kind. */
function sampleAlarms(scene: string): Alarm[] {
  const of = (code: ClientErrorCode, conversationId?: string): Alarm => ({
    id: `alarm-${code}`,
    failure: failure(code),
    conversationId,
    atMs: Date.now() - 4 * minuteMs,
  });
  switch (scene) {
    case "alarm":
      return [of("account_changed")];
    case "alarms":
      return [
        of("account_changed"),
        of("directory_fork"),
        of("directory_stale"),
        of("directory_unproven", "layla"),
        of("log_fork", "house"),
        of("server_lied", "alarm"),
        of("name_changed_hands", "long"),
      ];
    case "removed":
      return [of("device_removed")];
    default:
      return [];
  }
}

/** The account's part of the fake client. Scanned codes that begin with `x` fail in the ways that real ones do. */
export function createFakeAccount(surroundings: FakeSurroundings): AccountMethods {
  const { scene, emit, account, setAccount } = surroundings;
  const now = Date.now();
  const later = (ms = 200): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  let devices: OwnDevice[] = [
    { deviceId: "device-0", name: "Firefox on Windows", addedAtMs: now - 80 * dayMs, lastUsedAtMs: now - 41 * dayMs, isThisDevice: false },
    { deviceId: "device-1", name: "Chromium on Linux", addedAtMs: now - 12 * dayMs, lastUsedAtMs: now, isThisDevice: true },
    { deviceId: "device-2", name: "Safari on iPhone", addedAtMs: now - 9 * dayMs, lastUsedAtMs: now - dayMs, isThisDevice: false },
  ];
  let alarms = sampleAlarms(scene);
  let side: "new" | "old" | undefined;
  let timers: ReturnType<typeof setTimeout>[] = [];
  const marks = new Map<string, "verified" | "changed">([
    [people.ben.accountId, "verified"],
    [people.mika.accountId, "changed"],
  ]);
  const link = (state: LinkState): void => emit({ kind: "link", state });
  const after = (ms: number, run: () => void): void => {
    timers.push(setTimeout(run, ms));
  };
  const stop = (): void => {
    for (const timer of timers) clearTimeout(timer);
    timers = [];
    side = undefined;
  };

  const verificationOf = (person: Person, index: number): MemberVerification => {
    const status = scene === "unwatched" ? "unwatched" : scene === "stale" || person.username === "oskar" ? "unchecked" : "checked";
    const isRecent = person.username === "chidi_n";
    return {
      person,
      record: {
        sinceMs: status === "unchecked" ? 0 : now - (isRecent ? 1 : 90) * dayMs,
        checkedAtMs: status === "unchecked" ? 0 : now - 4 * minuteMs,
        witnesses: status === "checked" ? 3 : 0,
        required: scene === "unwatched" ? 0 : 2,
        status,
      },
      devices: Array.from({ length: (index % 2) + 1 }, (_, at) => ({
        deviceId: `${person.accountId}-${at}`,
        addedAtMs: now - (isRecent && at === 0 ? 1 : 90 - at * 30) * dayMs,
        inConversation: true,
        inAccount: true,
      })),
      mark: marks.get(person.accountId) ?? "none",
    };
  };

  return {
    async recoveryPhrase() {
      await later();
      return account()?.hasRecoveryPhrase === true ? samplePhrase : undefined;
    },
    async forgetRecoveryPhrase() {
      const own = account();
      if (own === undefined) return;
      setAccount({ ...own, hasRecoveryPhrase: false, isRecovered: false });
      emit({ kind: "account", account: { ...own, hasRecoveryPhrase: false, isRecovered: false } });
    },
    async recover({ username, phrase, keepPhrase = false }) {
      await later(1200);
      if (username !== "ada") fail("unknown_user");
      if (phrase !== samplePhrase.join(" ")) fail("invalid_phrase");
      const own: AccountInfo = {
        ...people.me,
        deviceId: "device-9",
        createdAtMs: now - 40 * dayMs,
        hasRecoveryPhrase: keepPhrase,
        isRecovered: false,
      };
      setAccount(own);
      emit({ kind: "account", account: own });
      return own;
    },
    async devices() {
      await later();
      return devices;
    },
    removeOtherDevices: async () => undefined,
    async removeDevice(deviceId) {
      await later(900);
      devices = devices.filter((device) => device.deviceId !== deviceId);
      emit({ kind: "devices" });
    },
    async offerLink() {
      await later(400);
      stop();
      side = "new";
      link({ kind: "waiting" });
      if (scene !== "waiting") after(15_000, () => link({ kind: "compare", digits: "402917", deviceName: "Chromium on Linux" }));
      return {
        code: "latchkey-link:1:Y2hhdC5leGFtcGxlLm9yZw:mB2s0vZk1JYQ7W3mB2s0vZk1JYQ7W3mB2s0vZk1JYQ7W3mB2s",
        words: samplePhrase.slice(0, 12),
        expiresAtMs: Date.now() + 5 * minuteMs,
      };
    },
    async acceptLink(code) {
      await later(600);
      if (/^x?$/.test(code.trim())) fail("invalid_code");
      if (code.startsWith("xx")) fail("link_expired");
      side = "old";
      after(500, () => link({ kind: "compare", digits: "402917", deviceName: "Firefox on Android" }));
    },
    async confirmLink(same) {
      await later(300);
      if (!same) {
        stop();
        link({ kind: "failed", failure: failure("link_refused") });
        return;
      }
      const isNew = side === "new";
      for (let step = 0; step <= 10; step += 1) after(step * 400, () => link({ kind: "moving", done: step * 42, total: 420 }));
      after(4600, () => {
        if (isNew) {
          setAccount({ ...people.me, deviceId: "device-9", createdAtMs: now - 40 * dayMs, hasRecoveryPhrase: false, isRecovered: false });
        } else {
          devices = [
            ...devices,
            { deviceId: "device-3", name: "Firefox on Android", addedAtMs: Date.now(), lastUsedAtMs: Date.now(), isThisDevice: false },
          ];
          emit({ kind: "devices" });
        }
        link({ kind: "done" });
      });
    },
    async cancelLink() {
      stop();
    },
    async deleteAccount() {
      await later(900);
    },
    async erase() {
      await later(900);
    },
    async verification(conversationId) {
      await later();
      const members = surroundings.members(conversationId);
      return {
        members: members.filter(({ person }) => !person.isSelf).map(({ person }, index) => verificationOf(person, index)),
        hold:
          scene === "hold"
            ? { code: "directory_unproven", message: "The keys of Ben Okafor are being checked.", canRetry: true }
            : undefined,
        away: scene === "away" ? [people.chidi] : [],
        mayLetBack: true,
        mayRemove: true,
      };
    },
    async aboutPerson(accountId) {
      await later();
      const person = Object.values(people).find((one) => one.accountId === accountId) ?? fail("unknown_user");
      const { record, mark, devices: of } = verificationOf(person, 1);
      const isIn = (id: string): boolean => surroundings.members(id).some((member) => member.person.accountId === accountId);
      return { person, record, mark, deviceCount: of.length, isBlocked: false, groups: ["house", "kitchen"].filter(isIn) };
    },
    async safetyNumber(accountId): Promise<SafetyNumber> {
      await later();
      const person = Object.values(people).find((one) => one.accountId === accountId) ?? fail("unknown_user");
      const groups = Array.from({ length: 12 }, (_, index) => String(((index + 3) * 48_271 * (person.username.length + 7)) % 100_000));
      return {
        person,
        groups: groups.map((group) => group.padStart(5, "0")),
        code: `latchkey-safety:1:${accountId}:${groups.join("")}`,
      };
    },
    async scanSafetyNumber(accountId, code) {
      await later();
      if (!code.startsWith("latchkey-safety:")) return "not_a_code";
      if (!code.includes(accountId)) return "other_account";
      marks.set(accountId, "verified");
      emit({ kind: "verification" });
      return "match";
    },
    async markVerified(accountId, verified) {
      await later();
      if (verified) marks.set(accountId, "verified");
      else marks.delete(accountId);
      emit({ kind: "verification" });
    },
    alarms: async () => alarms,
    async acknowledgeAlarm(alarmId) {
      alarms = alarms.filter((alarm) => alarm.id !== alarmId);
      emit({ kind: "alarms" });
    },
    directoryStatus: async () => ({
      host: "chat.example.org",
      size: 18_204,
      checkedAtMs: now - 4 * minuteMs,
      witnesses: scene === "unwatched" ? 0 : 3,
      required: scene === "unwatched" ? 0 : 2,
      status: scene === "unwatched" ? "unwatched" : scene === "stale" ? "unchecked" : "checked",
    }),
  };
}
