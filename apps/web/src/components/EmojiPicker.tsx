import { EmojiPicker as Picker, useSkinTone } from "frimousse";
import type {
  EmojiData,
  EmojiPickerListCategoryHeaderProps,
  EmojiPickerListComponents,
  EmojiPickerListEmojiProps,
  EmojiPickerListRowProps,
} from "frimousse";
import { useState } from "react";
import type { ReactElement } from "react";
import { language, t } from "../messages/words.ts";
import { fetchEmojiData } from "../state/emoji-names.ts";

const parts: Partial<EmojiPickerListComponents> = {
  CategoryHeader: ({ category, ...rest }: EmojiPickerListCategoryHeaderProps) => (
    <div {...rest} className="emoji-category">
      {category.label}
    </div>
  ),
  // Rows and columns are counted from one, which the library does not do.
  Row: ({ children, ...rest }: EmojiPickerListRowProps) => (
    <div {...rest} aria-rowindex={(rest["aria-rowindex"] ?? 0) + 1} className="emoji-row">
      {children}
    </div>
  ),
  Emoji: ({ emoji, ...rest }: EmojiPickerListEmojiProps) => (
    <button
      {...rest}
      // The rest makes it a cell of a grid.
      // oxlint-disable-next-line jsx-a11y/role-supports-aria-props
      aria-colindex={(rest["aria-colindex"] ?? 0) + 1}
      type="button"
      className={`emoji-one${emoji.isActive ? " emoji-one-active" : ""}`}
      title={emoji.label}
    >
      {emoji.emoji}
    </button>
  ),
};

/** All emoji, by name or by looking. */
export function EmojiPicker({ choose }: { readonly choose: (emoji: string) => void }): ReactElement {
  const [hasFailed, setHasFailed] = useState(false);
  if (hasFailed) return <p className="emoji-note">{t("menu.emoji.failed")}</p>;
  const resolve = async (): Promise<EmojiData> => {
    try {
      return await fetchEmojiData();
    } catch (error) {
      setHasFailed(true);
      throw error;
    }
  };
  return (
    <Picker.Root className="emoji" locale={language()} columns={8} resolveEmojiData={resolve} onEmojiSelect={({ emoji }) => choose(emoji)}>
      <div className="emoji-head">
        {/* oxlint-disable-next-line jsx-a11y/no-autofocus */}
        <Picker.Search className="input emoji-search" autoFocus aria-label={t("menu.emoji.search")} placeholder={t("menu.emoji.search")} />
        <SkinTone />
      </div>
      <Picker.Viewport className="emoji-viewport">
        <Picker.Loading className="emoji-note">{t("menu.emoji.loading")}</Picker.Loading>
        <Picker.Empty className="emoji-note">{({ search }) => t("menu.emoji.none", { asked: search })}</Picker.Empty>
        <Picker.List className="emoji-list" components={parts} />
      </Picker.Viewport>
    </Picker.Root>
  );
}

function SkinTone(): ReactElement {
  const [tone, setTone, tones] = useSkinTone("✋");
  return (
    <button
      type="button"
      className="icon-button emoji-tone"
      aria-label={t("menu.emoji.skinTone")}
      title={t("menu.emoji.skinTone")}
      onClick={() => {
        const at = tones.findIndex(({ skinTone }) => skinTone === tone);
        setTone(tones[(at + 1) % tones.length]?.skinTone ?? "none");
      }}
    >
      {tones.find(({ skinTone }) => skinTone === tone)?.emoji}
    </button>
  );
}
