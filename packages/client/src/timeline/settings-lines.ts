import { enumeration, opaque, struct, text, uint32, uint8, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { Role } from "../api/people.ts";

interface Seconds {
  readonly seconds: number;
}
interface Described {
  readonly description: string;
}
interface Several {
  readonly accounts: readonly Uint8Array[];
}
interface RoleChanged {
  readonly account: Uint8Array;
  readonly role: Role;
}

const nothing: Codec<Record<never, never>> = struct<Record<never, never>>({});
const seconds: Codec<Seconds> = struct<Seconds>({ seconds: uint32 });
const described: Codec<Described> = struct<Described>({ description: text(4096) });
const several: Codec<Several> = struct<Several>({ accounts: vector(opaque(32), { maxBytes: 1 << 20 }) });
const roleChanged: Codec<RoleChanged> = struct<RoleChanged>({
  account: opaque(32),
  role: enumeration<Role>(uint8, { member: 1, administrator: 2, owner: 3 }),
});

/** How lines about a group's settings are stored, with their numbers among all lines. */
export const settingsBodies: {
  readonly described: readonly [30, Codec<Described>];
  readonly picture_changed: readonly [31, Codec<Record<never, never>>];
  readonly timer_changed: readonly [32, Codec<Seconds>];
  readonly slow_mode_changed: readonly [33, Codec<Seconds>];
  readonly rights_changed: readonly [34, Codec<Record<never, never>>];
  readonly role_changed: readonly [35, Codec<RoleChanged>];
  readonly kept_out: readonly [37, Codec<Several>];
  readonly kept_out_ended: readonly [38, Codec<Several>];
} = {
  described: [30, described],
  picture_changed: [31, nothing],
  timer_changed: [32, seconds],
  slow_mode_changed: [33, seconds],
  rights_changed: [34, nothing],
  role_changed: [35, roleChanged],
  kept_out: [37, several],
  kept_out_ended: [38, several],
};
