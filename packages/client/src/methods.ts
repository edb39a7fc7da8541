import type { Client } from "./api.ts";

/** The methods of a client that can be called from another process or worker: all that return a promise, but `close`, which ends it for all. */
export type RemoteMethods = {
  [K in keyof Client as K extends "close" ? never : Client[K] extends (...args: never[]) => Promise<unknown> ? K : never]: Client[K];
};

/** The name of such a method. */
export type RemoteMethodName = keyof RemoteMethods;

const remoteMethods: Readonly<Record<RemoteMethodName, true>> = {
  account: true,
  pendingAccount: true,
  connection: true,
  serverInfo: true,
  checkUsername: true,
  register: true,
  resolve: true,
  acceptName: true,
  conversations: true,
  details: true,
  startConversation: true,
  messages: true,
  since: true,
  send: true,
  typing: true,
  privacySettings: true,
  changePrivacySettings: true,
  edit: true,
  deleteMessages: true,
  react: true,
  sendPoll: true,
  vote: true,
  endPoll: true,
  pin: true,
  pinned: true,
  forward: true,
  findMessage: true,
  messageInfo: true,
  whoHasRead: true,
  heldDeletions: true,
  decideDeletions: true,
  retry: true,
  discard: true,
  addMembers: true,
  removeMembers: true,
  setRole: true,
  changeSettings: true,
  removeUnproven: true,
  letBack: true,
  continueConversation: true,
  acceptInvitation: true,
  declineInvitation: true,
  leave: true,
  createJoinLink: true,
  joinLinks: true,
  revokeJoinLink: true,
  waitingRoom: true,
  admit: true,
  refuse: true,
  readJoinLink: true,
  knock: true,
  knocks: true,
  markRead: true,
  saveDraft: true,
  changeProfile: true,
  picture: true,
  quietHours: true,
  setQuietHours: true,
  mute: true,
  archive: true,
  pinConversation: true,
  markUnread: true,
  deleteConversation: true,
  star: true,
  starred: true,
  decideDraft: true,
  inspect: true,
  settle: true,
  recoveryPhrase: true,
  forgetRecoveryPhrase: true,
  recover: true,
  devices: true,
  removeDevice: true,
  offerLink: true,
  acceptLink: true,
  confirmLink: true,
  cancelLink: true,
  deleteAccount: true,
  erase: true,
  verification: true,
  safetyNumber: true,
  scanSafetyNumber: true,
  markVerified: true,
  alarms: true,
  acknowledgeAlarm: true,
  directoryStatus: true,
  requests: true,
  acceptRequest: true,
  declineRequest: true,
  block: true,
  unblock: true,
  blocked: true,
};

/** Whether `name` may be called from elsewhere. */
export function isRemoteMethod(name: string): name is RemoteMethodName {
  return Object.hasOwn(remoteMethods, name);
}

/** All of their names. */
export const remoteMethodNames: readonly RemoteMethodName[] = Object.keys(remoteMethods).filter(isRemoteMethod);

export { receiptOf } from "./api/receipts.ts";
