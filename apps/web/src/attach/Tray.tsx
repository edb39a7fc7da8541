import "../styles/attach.css";
import { useId, useState } from "react";
import type { ReactElement } from "react";
import { maxFileDescription } from "@latchkey/client/limits";
import { Icon } from "../components/Icon.tsx";
import type { IconName } from "../components/Icon.tsx";
import { t } from "../messages/words.ts";
import { useApp } from "../state/context.ts";
import { formatBytes } from "../state/format.ts";
import { loadPictureQuality } from "../state/preferences.ts";
import type { Tray as TrayContent, TrayItem, TrayNote } from "../state/trays.ts";
import { mayBeOnce, trayActs } from "./attach.ts";
import type { TrayActs } from "./attach.ts";
import { clock } from "./clock.ts";
import { useAddress } from "./use-address.ts";

/** What goes with the next message: each file can be looked at, described, moved and taken out. */
export function Tray({
  conversationId,
  tray,
  write,
}: {
  readonly conversationId: string;
  readonly tray: TrayContent;
  /** Puts the focus into the field. */
  readonly write: () => void;
}): ReactElement {
  const { controller } = useApp();
  const [chosen, setChosen] = useState<number>();
  const acts = trayActs(controller, conversationId);
  const { items, notes, leaving } = tray;
  const item = items.find(({ key }) => key === chosen) ?? (items.length === 1 ? items[0] : undefined);
  return (
    <section className="tray" aria-label={t("attach.heading")}>
      {items.length > 0 && (
        <ul className="tray-items">
          {items.map((one) => (
            <li key={one.key} className={`tray-item${one === item ? " tray-item-chosen" : ""}`}>
              <button
                type="button"
                className="tray-thumb"
                aria-pressed={one === item}
                title={one.name}
                onClick={() => setChosen(one.key === chosen ? undefined : one.key)}
              >
                <span className="visually-hidden">{labelOf(one)}</span>
                <span aria-hidden="true">
                  <Thumb item={one} />
                </span>
              </button>
              <button
                type="button"
                className="icon-button tray-remove"
                aria-label={t("attach.remove", { name: one.name })}
                title={t("attach.remove", { name: one.name })}
                onClick={() => {
                  acts.remove(one.key);
                  write();
                }}
              >
                <Icon name="close" size={14} />
              </button>
            </li>
          ))}
        </ul>
      )}
      {item !== undefined && <TrayDetail key={item.key} item={item} items={items} acts={acts} />}
      {items.length > 0 && <TrayOptions tray={tray} acts={acts} />}
      <div role="status" className="tray-notes">
        {items.length > 0 && <p className="visually-hidden">{t("attach.count", { n: items.length })}</p>}
        {notes.map((note) => (
          <p key={note.kind} className="tray-note">
            <Icon name="info" size={18} />
            <span>{noteText(note)}</span>
          </p>
        ))}
        {notes.length > 0 && (
          <button type="button" className="link-button tray-dismiss" onClick={acts.dropNotes}>
            {t("common.dismiss")}
          </button>
        )}
        {leaving.map(({ key, items: files, isCancelled }) => (
          <p key={key} className="tray-note">
            <Icon name="lock" size={18} />
            <span>{t("attach.leaving", { n: files.length })}</span>
            <button type="button" className="link-button" disabled={isCancelled} onClick={() => acts.cancel(key)}>
              {t("common.cancel")}
            </button>
          </p>
        ))}
      </div>
    </section>
  );
}

function labelOf({ name, made, description }: TrayItem): string {
  if (made.kind !== "made") return t("attach.itemMaking", { name });
  const size = formatBytes(made.file.sizeBytes);
  return description.trim() === "" ? t("attach.item", { name, size }) : t("attach.itemDescribed", { name, size, description });
}

const icons = { picture: "camera", video: "camera", audio: "bell", voice: "bell", file: "attach" } as const satisfies Record<
  string,
  IconName
>;

function Thumb({ item: { made, name } }: { readonly item: TrayItem }): ReactElement {
  const address = useAddress(made.kind === "made" ? made.preview : undefined);
  if (made.kind !== "made") return <span className="tray-making" />;
  const { kind = "file", sizeBytes, durationMs } = made.file;
  return (
    <>
      {address === undefined ? (
        <span className="tray-file">
          <Icon name={icons[kind]} size={22} />
          <bdi>{name}</bdi>
        </span>
      ) : (
        <img src={address} alt="" draggable={false} />
      )}
      <span className="tray-size tabular">{durationMs === undefined ? formatBytes(sizeBytes) : clock(durationMs)}</span>
    </>
  );
}

function TrayDetail({
  item,
  items,
  acts,
}: {
  readonly item: TrayItem;
  readonly items: readonly TrayItem[];
  readonly acts: TrayActs;
}): ReactElement {
  const id = useId();
  const { key, made, isUnchanged } = item;
  const isShown = made.kind === "made" && (made.file.kind === "picture" || made.file.kind === "video");
  const place = items.indexOf(item);
  return (
    <div className="tray-detail">
      <p className="tray-name">
        <bdi>{item.name}</bdi>
      </p>
      {isShown && (
        <p className="tray-field">
          <label htmlFor={id}>{t("attach.describe")}</label>
          <input
            id={id}
            className="input"
            value={item.description}
            maxLength={maxFileDescription}
            dir="auto"
            autoComplete="off"
            onChange={({ target }) => acts.describe(key, target.value)}
            onKeyDown={(event) => event.key === "Enter" && event.preventDefault()}
          />
        </p>
      )}
      {made.kind === "made" && made.asFile !== undefined && <p className="tray-hint">{t(`attach.asFile.${made.asFile}`)}</p>}
      {made.kind === "made" && made.metadata !== undefined && (
        <p className={`tray-hint${made.metadata === "kept" ? " tray-hint-warning" : ""}`}>
          {t(made.metadata === "kept" ? "attach.metadataKept" : "attach.metadataRemoved")}
        </p>
      )}
      <div className="tray-row">
        {(isUnchanged || isShown) && (
          <label className="tray-check">
            <input type="checkbox" checked={isUnchanged} onChange={({ target }) => acts.setUnchanged(key, target.checked)} />
            {t("attach.unchanged")}
          </label>
        )}
        {items.length > 1 && (
          <span className="tray-moves">
            <button type="button" className="link-button" disabled={place === 0} onClick={() => acts.move(key, -1)}>
              {t("attach.earlier")}
            </button>
            <button type="button" className="link-button" disabled={place === items.length - 1} onClick={() => acts.move(key, 1)}>
              {t("attach.later")}
            </button>
          </span>
        )}
      </div>
    </div>
  );
}

const qualities = ["standard", "high"] as const;

/** What counts for all of them. */
function TrayOptions({ tray, acts }: { readonly tray: TrayContent; readonly acts: TrayActs }): ReactElement | undefined {
  const { items, quality = loadPictureQuality(), isOnce } = tray;
  const hasPictures = items.some(({ made, isUnchanged }) => !isUnchanged && made.kind === "made" && made.file.kind === "picture");
  const canBeOnce = mayBeOnce(tray);
  const name = useId();
  const hint = useId();
  if (!hasPictures && !canBeOnce) return undefined;
  return (
    <div className="tray-options">
      {hasPictures && (
        <div className="segments tray-quality" role="radiogroup" aria-label={t("attach.quality")}>
          {qualities.map((option) => (
            <label key={option} className="segment">
              <input type="radio" name={name} value={option} checked={quality === option} onChange={() => acts.setQuality(option)} />
              <span>{t(`attach.quality.${option}`)}</span>
            </label>
          ))}
        </div>
      )}
      {canBeOnce && (
        <label className="tray-check">
          <input
            type="checkbox"
            checked={isOnce}
            aria-describedby={isOnce ? hint : undefined}
            onChange={({ target }) => acts.setOnce(target.checked)}
          />
          {t("attach.once")}
        </label>
      )}
      {canBeOnce && isOnce && (
        <p id={hint} className="tray-hint">
          {t("attach.onceHint")}
        </p>
      )}
    </div>
  );
}

function noteText(note: TrayNote): string {
  switch (note.kind) {
    case "many":
      return t("attach.note.many", { n: note.n });
    case "empty":
    case "large":
    case "gone":
      return t(`attach.note.${note.kind}`, { names: listed(note.names) });
    case "folder":
    case "lost":
      return t(`attach.note.${note.kind}`);
  }
}

function listed(names: readonly string[]): string {
  return `${names.slice(0, 3).join(", ")}${names.length > 3 ? "…" : ""}`;
}
