import { useId, useState } from "react";
import type { FormEvent, ReactElement } from "react";
import type { ConversationDetails, GroupRights, GroupSettingsChange, RightHolder } from "@latchkey/client";
import { maxDescriptionBytes, maxGroupNameBytes } from "@latchkey/client/limits";
import { cleanName } from "@latchkey/client/own";
import { t } from "../messages/words.ts";
import { useAction, useApp, useBusyAction } from "../state/context.ts";
import { formatSpan } from "../state/format.ts";
import { titleOf } from "../state/own.ts";
import { Modal } from "./Dialog.tsx";
import { nameShown } from "./name-shown.ts";
import { PictureControls } from "./PictureControls.tsx";

const slowModes: readonly number[] = [0, 10, 60, 600, 3600];
const histories: readonly GroupRights["history"][] = ["off", "1_day", "7_days", "30_days", "100_messages"];
/** Those that the app lets owners set. */
const rightNames = ["post", "add", "remove", "editInfo", "timer", "pin", "mentionAll", "deleteOthers", "invite", "shareHistory"] as const;
const rightHolders: readonly RightHolder[] = ["everyone", "administrators", "owner"];

/** How a group is run: its description, how fast one may write, who may do what. */
export function GroupSettings({ details }: { readonly details: ConversationDetails }): ReactElement {
  const { controller } = useApp();
  const act = useAction();
  const id = useId();
  const [open, setOpen] = useState<"info" | "rights">();
  const { may, slowModeS, description, rights, conversation } = details;
  const close = (isChanged: boolean): void => {
    setOpen(undefined);
    if (isChanged) void controller.loadDetails(conversation.id).catch(() => undefined);
  };
  const change = async (settings: GroupSettingsChange): Promise<void> => {
    await act(() => controller.client.changeSettings(conversation.id, settings));
    await controller.loadDetails(conversation.id).catch(() => undefined);
  };
  const isUsual = slowModes.includes(slowModeS);
  return (
    <section aria-labelledby={`${id}heading`} className="details-section">
      <h2 id={`${id}heading`} className="section-heading">
        {t("group.settings.heading")}
      </h2>
      <p className="group-description" dir="auto">
        {description === "" ? <span className="details-note">{t("group.settings.noDescription")}</span> : description}
      </p>
      {may.editInfo && (
        <PictureControls id={conversation.id} set={(picture) => controller.client.setGroupPicture(conversation.id, picture)} />
      )}
      {may.editInfo && (
        <button type="button" className="button button-wide" onClick={() => setOpen("info")}>
          {t("group.settings.edit")}
        </button>
      )}
      <div className="field">
        <label htmlFor={`${id}slow`}>{t("group.settings.slowMode")}</label>
        <select
          id={`${id}slow`}
          className="input"
          aria-describedby={`${id}slowhint`}
          value={slowModeS}
          disabled={!may.slowMode}
          onChange={(event) => void change({ slowModeS: Number(event.target.value) })}
        >
          {!isUsual && <option value={slowModeS}>{formatSpan(slowModeS)}</option>}
          {slowModes.map((seconds) => (
            <option key={seconds} value={seconds}>
              {seconds === 0 ? t("group.settings.slowModeOff") : formatSpan(seconds)}
            </option>
          ))}
        </select>
        <p id={`${id}slowhint`} className="setting-hint">
          {t("group.settings.slowModeHint")}
        </p>
      </div>
      {rights !== undefined && (
        <div className="field">
          <label htmlFor={`${id}history`}>{t("group.settings.history")}</label>
          <select
            id={`${id}history`}
            className="input"
            aria-describedby={`${id}historyhint`}
            value={rights.history}
            disabled={!may.own}
            onChange={(event) => {
              const chosen = histories.find((policy) => policy === event.target.value);
              if (chosen !== undefined) void change({ rights: { history: chosen } });
            }}
          >
            {histories.map((policy) => (
              <option key={policy} value={policy}>
                {t(`group.settings.histories.${policy}`)}
              </option>
            ))}
          </select>
          <p id={`${id}historyhint`} className="setting-hint">
            {t("group.settings.historyHint")}
          </p>
        </div>
      )}
      {rights !== undefined && (
        <button type="button" className="button button-wide" onClick={() => setOpen("rights")}>
          {t("group.settings.rights")}
        </button>
      )}
      {open === "info" && <InfoDialog details={details} close={close} />}
      {open === "rights" && rights !== undefined && <RightsDialog details={details} rights={rights} close={close} />}
    </section>
  );
}

function InfoDialog({
  details,
  close,
}: {
  readonly details: ConversationDetails;
  readonly close: (isChanged: boolean) => void;
}): ReactElement {
  const { controller } = useApp();
  const [isBusy, act] = useBusyAction();
  const { conversation } = details;
  const [name, setName] = useState(() => titleOf(conversation));
  const [description, setDescription] = useState(details.description);
  const id = useId();
  const over = { name: bytesOver(cleanName(name), maxGroupNameBytes), description: bytesOver(description.trim(), maxDescriptionBytes) };
  const isChanged = name.trim() !== titleOf(conversation) || description.trim() !== details.description;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const change = {
      ...(name.trim() === titleOf(conversation) ? {} : { name: name.trim() }),
      ...(description.trim() === details.description ? {} : { description: description.trim() }),
    };
    void act(() => controller.client.changeSettings(conversation.id, change)).then((isDone) => isDone && close(true));
  };
  return (
    <Modal title={t("group.settings.edit")} close={() => close(false)}>
      <form className="group-form" onSubmit={submit}>
        <div className="field">
          <label htmlFor={`${id}name`}>{t("group.settings.name")}</label>
          <input
            id={`${id}name`}
            className="input"
            dir="auto"
            autoComplete="off"
            value={name}
            aria-invalid={over.name > 0}
            aria-describedby={`${id}nameshown ${id}nameover`}
            onChange={(event) => setName(event.target.value)}
          />
          <p id={`${id}nameshown`} role="status" className="field-hint">
            {nameShown(name)}
          </p>
          <p id={`${id}nameover`} className="field-error">
            {over.name > 0 && t("group.settings.nameLong", { bytes: over.name })}
          </p>
        </div>
        <div className="field">
          <label htmlFor={`${id}description`}>{t("group.settings.description")}</label>
          <textarea
            id={`${id}description`}
            className="input"
            rows={4}
            dir="auto"
            value={description}
            aria-invalid={over.description > 0}
            aria-describedby={`${id}descriptionover`}
            onChange={(event) => setDescription(event.target.value)}
          />
          <p id={`${id}descriptionover`} className="field-error">
            {over.description > 0 && t("group.settings.nameLong", { bytes: over.description })}
          </p>
        </div>
        <div className="dialog-actions">
          <button type="button" className="button" onClick={() => close(false)}>
            {t("common.cancel")}
          </button>
          <button
            type="submit"
            className="button button-primary"
            disabled={isBusy || !isChanged || name.trim() === "" || over.name > 0 || over.description > 0}
          >
            {t("group.settings.save")}
          </button>
        </div>
      </form>
    </Modal>
  );
}

type RightName = (typeof rightNames)[number];

function RightsDialog({
  details,
  rights,
  close,
}: {
  readonly details: ConversationDetails;
  readonly rights: GroupRights;
  readonly close: (isChanged: boolean) => void;
}): ReactElement {
  const { controller } = useApp();
  const [isBusy, act] = useBusyAction();
  const [changed, setChanged] = useState<Partial<Record<RightName, RightHolder>>>({});
  const id = useId();
  const isOwner = details.may.own;
  const names = rightNames;
  const save = async (): Promise<void> => {
    await controller.client.changeSettings(details.conversation.id, { rights: changed as Partial<GroupRights> });
  };
  const isChanged = names.some((name) => changed[name] !== undefined && changed[name] !== rights[name]);
  return (
    <Modal title={t("group.settings.rights")} close={() => close(false)}>
      <p className="dialog-body">{t("group.settings.rightsHint")}</p>
      <div className="group-rights">
        {names.map((name) => (
          <div key={name} className="group-right">
            <label htmlFor={`${id}${name}`}>{t(`group.settings.right.${name}`)}</label>
            <select
              id={`${id}${name}`}
              className="input"
              value={changed[name] ?? rights[name]}
              disabled={!isOwner}
              onChange={(event) => setChanged({ ...changed, [name]: event.target.value })}
            >
              {rightHolders
                .filter((holder) => name !== "remove" || holder !== "everyone")
                .map((holder) => (
                  <option key={holder} value={holder}>
                    {t(`group.settings.holder.${holder}`)}
                  </option>
                ))}
            </select>
          </div>
        ))}
      </div>
      <div className="dialog-actions">
        <button type="button" className="button" onClick={() => close(false)}>
          {isOwner ? t("common.cancel") : t("common.close")}
        </button>
        {isOwner && (
          <button
            type="button"
            className="button button-primary"
            disabled={isBusy || !isChanged}
            onClick={() => void act(save).then((isDone) => isDone && close(true))}
          >
            {t("group.settings.save")}
          </button>
        )}
      </div>
    </Modal>
  );
}

function bytesOver(text: string, limit: number): number {
  return Math.max(0, new TextEncoder().encode(text).length - limit);
}
