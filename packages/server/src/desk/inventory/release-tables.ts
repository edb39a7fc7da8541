import type { OtherTable, Tables } from "./entry.ts";

const whyRequest =
  "An authority asked for it by law. It is in no package of anybody: it says what was asked and done, and may be secret by law; the person is told as the law allows.";

function ofRequest(kept: string, columns: Readonly<Record<string, string>>): OtherTable {
  return { tiedTo: "desk", why: whyRequest, kept, category: "content", columns };
}

const withRequest = "Until the request is erased.";

/** What `desk.sqlite` has of releases, copies that are kept for requests, and notices. */
export const releaseTables: Tables = {
  request_packages: ofRequest(withRequest, {
    request_number: "For which request.",
    digest: "The hash that was approved.",
    built_ms: "When it was put together.",
    maker: "Who of the staff put it together.",
    accounts: "About how many accounts it is.",
    copy_of: "Which other request's copies are in it.",
    size_bytes: "Its size.",
    manifest: "What it says of itself, encrypted.",
    rule: "Whether two people approved it, or one and what else.",
    wait_ms: "How long one person has waited.",
    wait_seen_ms: "When that was measured.",
    released_ms: "When it went out.",
    released_by: "Who let it go.",
    approvals: "Who approved it, with their passkeys' signatures.",
    signature: "The operator's signature over it.",
  }),
  request_package_files: ofRequest("Until the request is closed.", {
    request_number: "For which request.",
    name: "A name such as account-1.json.",
    bytes: "What goes out, encrypted.",
  }),
  request_approvals: ofRequest(withRequest, {
    request_number: "For which request.",
    number: "Its number there.",
    staff: "Who of the staff it is.",
    who: "Their name, encrypted.",
    role: "As what they approved.",
    at_ms: "When.",
    credential: "The passkey's id.",
    public_key: "Its public key.",
    client_data: "What the browser signed for it.",
    authenticator_data: "What the authenticator said of itself.",
    signature: "The passkey's signature.",
  }),
  request_outsiders: ofRequest(withRequest, {
    request_number: "For which request.",
    name: "The name of somebody outside who was asked to approve, encrypted.",
    code_hash: "The hash of their link's code.",
    until_ms: "Until when it counts.",
    is_used: "Whether it was used.",
  }),
  request_copies: ofRequest("Until the days of the order are over, or the authority says so.", {
    request_number: "For which request.",
    place: "The place of the name in the request.",
    as_of_ms: "When it was made.",
    account_id: "Of which account, encrypted.",
    bytes: "What was held then, encrypted.",
    left_out: "What was held and was not asked for, and so is not in it, encrypted.",
  }),
  request_notices: ofRequest(withRequest, {
    request_number: "Of which request.",
    file: "Which file of the release it tells of.",
    notice_id: "A random id.",
    state: "Whether the person was told.",
    ended_ms: "When a secrecy was taken back.",
    sent_ms: "When they were told.",
    next_ms: "When they are told again.",
  }),
};
