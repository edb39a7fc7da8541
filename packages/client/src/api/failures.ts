/** Why the client refused or could not do something; the web app and the CLI have words for each. */
export type ClientErrorCode =
  | "no_account" // register first
  | "account_waits" // the server has the account, and the public record cannot prove it now: it stays, and goes on by itself
  | "account_exists" // this profile has an account already
  | "invalid_username" // not 3 to 32 of a-z 0-9 _ . -
  | "username_taken"
  | "registration_closed"
  | "invalid_invitation" // the server asks for an invitation, and does not know this one
  | "account_suspended" // by the operator of the server: it gets nothing new there
  | "invalid_address" // not name or name@host
  | "unknown_user" // no such account on that host
  | "blocked" // this person is blocked: unblock them first
  | "unknown_request" // no such request is waiting
  | "other_server" // on another server than one's own: refused before anything is sent there
  | "unreachable_device" // a member's device has no valid key package
  | "unknown_conversation"
  | "unknown_message"
  | "invalid_cursor" // not one that this profile gave
  | "not_a_member" // you were removed from, or left, this conversation
  | "not_permitted" // rights and roles do not allow it
  | "last_owner" // nobody else owns the group: name another owner first
  | "invalid_setting" // a name, description, time or right that a group cannot have
  | "already_member"
  | "kept_out"
  | "contact_suspended"
  | "case_not_counted"
  | "no_administrator"
  | "message_too_large"
  | "name_required" // a group needs a name
  | "offline" // needs the server, which cannot be reached now
  | "rate_limited"
  | "server_full"
  | "server_down" // what stands before the server answers, and the server does not
  | "way_blocked" // something between here and the server refuses what the server would take
  | "app_outdated" // this version of Latchkey is too old for the server
  | "server_outdated" // the server is too old for this version of Latchkey
  | "server_refused" // the server answered with a refusal that should not happen
  | "server_lied" // an answer failed verification: head chain, signature, access hash
  | "conflict" // what it is about was changed at the same moment (an account, too often; a message that is reported): the person tries again
  | "change_waits" // a change of the group lost the race with others many times; it waits, and is tried on (spec L-13)
  | "conversation_unavailable" // the server does not know this conversation, or an older state of it; it goes on when it does
  | "change_unreadable" // a member's change cannot be read by this device (spec G-4)
  | "left_behind" // the others cannot read a change that this device followed, and go on without it (spec G-6)
  | "changes_expired" // changes of the group expired before this device read them: a member has to add it again (spec L-8)
  | "device_unproven" // a device in the group that the account it names does not have: nothing is sent there until it is removed (spec G-8)
  | "invitation_expired" // what somebody sent to let this device go on in a conversation does not hold any more
  | "members_changed" // somebody was added after this message was written: the person decides (attack A7)
  | "storage_denied" // the browser refused or evicted storage
  | "storage_full" // this device has no space left for a file
  | "file_changed" // a file that is to be sent has another size than was said: something writes to it
  | "unreadable_file" // a file that is to be sent is not there, or may not be read
  | "file_gone" // the host of a file does not have it any more
  | "seen_once" // what is to be seen once was, or its time is over
  | "not_accepted" // of somebody who is not accepted nothing is fetched
  | "other_host" // a file is said to be at another host than the conversation's
  | "storage_in_use" // another process has this profile open
  | "storage_newer" // the profile was written by a newer version
  | "storage_older" // the profile was written by a test version whose format is not read any more
  | "profile_locked" // a lock is on, and nothing that opens it was given (spec O-8)
  | "profile_restored" // this profile is an old copy: it must not send (spec D-3 of the client)
  | "clock_skew" // this device's clock is far off
  | "invalid_key_package"
  | "directory_unproven" // the public record could not be checked: no proof, or one that does not hold (spec D-1, D-3)
  | "directory_stale" // too few witnesses, or none lately: nothing new is trusted (spec D-3)
  | "directory_fork" // two public records were seen: this device's and another (spec D-2, D-4)
  | "retention_shorter" // the server promises to keep entries for fewer days than before
  | "record_withheld" // for a day the files that compare the public record with what was signed for others could not be had (spec D-4)
  | "directory_changed" // the public record gets other keys or witnesses from a certain day on (spec D-2)
  | "account_forked" // an account signed two states of one version (spec A-1)
  | "account_changed" // one's own account was changed by somebody else (spec A-2)
  | "name_changed_hands" // this name belonged to another account (spec A-3); the person decides
  | "log_fork" // another member sees another conversation (spec L-10, L-11)
  | "device_added" // another device of the account added one
  | "backup_rolled_back" // the server shows an older backup of the messages than was written, or none
  | "backup_taken_over" // another device of the account keeps the backup of the messages now, or turned it off
  | "backup_unread" // a backup that was found was not read yet, or not all of it: nothing takes its place
  | "backup_full" // the server keeps no more of this account's backup
  | "no_backup" // there is none to be read
  | "server_restored" // the server says that it was restored from a copy; the conversation goes on, and may be gone on with elsewhere
  | "device_removed" // this device was removed from its account
  | "account_deleted"
  | "invalid_phrase" // not 24 words of the list, or not this account's
  | "invalid_code" // not a linking code
  | "link_expired" // the linking took too long, or was broken off
  | "link_refused" // the two short codes differed, or the other side said no
  | "invalid_join_link" // no invite link to a group, or a part of it is missing
  | "join_link_gone" // it was taken back, or its time is over
  | "join_link_used_up" // as many as it is for were let in
  | "unknown_join_link" // no such link to this group
  | "waiting_room_full" // too many wait at a link
  | "closed";

/** A failure of the client. The message is one plain sentence, never holding names, text or keys. */
export interface ClientFailure {
  readonly code: ClientErrorCode;
  readonly message: string;
  /** Whether doing the same again later can help. */
  readonly canRetry: boolean;
  /** When the server asks to wait: for how long. */
  readonly retryAfterMs?: number;
}
