import type { FrameCodec, Role } from "./common.ts";
import { deviceReplyCodec, deviceRequestCodec } from "./device.ts";
import type { DeviceReply, DeviceRequest } from "./device.ts";
import { logReplyCodec, logRequestCodec } from "./log.ts";
import type { LogReply, LogRequest } from "./log.ts";
import { lookupReplyCodec, lookupRequestCodec } from "./lookup.ts";
import type { LookupReply, LookupRequest } from "./lookup.ts";
import { postReplyCodec, postRequestCodec } from "./post.ts";
import type { PostReply, PostRequest } from "./post.ts";

/** What goes over a connection of each role: requests of the client, replies and events of the server (spec C-5). */
export interface RoleFrames {
  readonly device: { readonly request: DeviceRequest; readonly reply: DeviceReply };
  readonly log: { readonly request: LogRequest; readonly reply: LogReply };
  readonly post: { readonly request: PostRequest; readonly reply: PostReply };
  readonly lookup: { readonly request: LookupRequest; readonly reply: LookupReply };
}

/** The codecs of each role's frames. Decoding throws CodecError for what is malformed or another role's. */
export const roleCodecs: {
  readonly [R in Role]: { readonly request: FrameCodec<RoleFrames[R]["request"]>; readonly reply: FrameCodec<RoleFrames[R]["reply"]> };
} = {
  device: { request: deviceRequestCodec, reply: deviceReplyCodec },
  log: { request: logRequestCodec, reply: logReplyCodec },
  post: { request: postRequestCodec, reply: postReplyCodec },
  lookup: { request: lookupRequestCodec, reply: lookupReplyCodec },
};
