import { useEffect, useId, useRef, useState } from "react";
import type { KeyboardEvent, PointerEvent, ReactElement } from "react";
import { maxPictureFileBytes, maxPicturePx } from "@latchkey/client/limits";
import { t } from "../messages/words.ts";
import { maxZoom, moved, wholeCrop, zoomed, zoomOf } from "../state/crop.ts";
import type { Crop } from "../state/crop.ts";
import { Modal } from "./Dialog.tsx";

const qualities = [0.9, 0.8, 0.7, 0.6, 0.45, 0.3] as const;
/** By a key, of the part that is shown. */
const keyStep = 0.05;

/** Has the person choose what of a picture is shown, and gives that, square and made anew. */
export function PictureCrop({
  image,
  take,
  close,
}: {
  readonly image: ImageBitmap;
  /** Resolves to whether it was taken. */
  readonly take: (picture: Uint8Array) => Promise<boolean>;
  readonly close: () => void;
}): ReactElement {
  const [crop, setCrop] = useState(() => wholeCrop(image));
  const [isBusy, setIsBusy] = useState(false);
  const stage = useRef<HTMLCanvasElement>(null);
  const preview = useRef<HTMLCanvasElement>(null);
  const small = useRef<HTMLCanvasElement>(null);
  const drag = useRef<{ readonly x: number; readonly y: number }>(undefined);
  const id = useId();
  useEffect(() => {
    for (const canvas of [stage.current, preview.current, small.current]) if (canvas !== null) draw(canvas, image, crop);
  }, [image, crop]);
  const move = (right: number, down: number): void => setCrop((before) => moved(before, image, { right, down }));
  const onPointerMove = (event: PointerEvent<HTMLCanvasElement>): void => {
    const from = drag.current;
    if (from === undefined) return;
    const { clientWidth } = event.currentTarget;
    drag.current = { x: event.clientX, y: event.clientY };
    move((event.clientX - from.x) / clientWidth, (event.clientY - from.y) / clientWidth);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const steps: Readonly<Record<string, readonly [number, number]>> = {
      ArrowLeft: [keyStep, 0],
      ArrowRight: [-keyStep, 0],
      ArrowUp: [0, keyStep],
      ArrowDown: [0, -keyStep],
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    move(...step);
  };
  const save = async (): Promise<void> => {
    setIsBusy(true);
    const isTaken = await take(await encoded(image, crop));
    setIsBusy(false);
    if (isTaken) close();
  };
  return (
    <Modal title={t("picture.crop")} close={close}>
      <div className="picture-crop">
        {/* What is dragged by the mouse is moved by arrow keys. */}
        {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex, jsx-a11y/no-noninteractive-element-interactions */}
        <canvas
          ref={stage}
          className="picture-stage"
          width={maxPicturePx}
          height={maxPicturePx}
          role="img"
          // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
          tabIndex={0}
          aria-label={t("picture.part")}
          aria-describedby={`${id}hint`}
          onKeyDown={onKeyDown}
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId);
            drag.current = { x: event.clientX, y: event.clientY };
          }}
          onPointerMove={onPointerMove}
          onPointerUp={() => (drag.current = undefined)}
          onPointerCancel={() => (drag.current = undefined)}
          onWheel={(event) => setCrop((before) => zoomed(before, image, zoomOf(before, image) * (event.deltaY < 0 ? 1.1 : 1 / 1.1)))}
        />
        <div className="picture-beside">
          <canvas ref={preview} className="avatar avatar-large" width={160} height={160} aria-hidden="true" />
          <canvas ref={small} className="avatar" width={96} height={96} aria-hidden="true" />
        </div>
      </div>
      <div className="field">
        <label htmlFor={`${id}zoom`}>{t("picture.zoom")}</label>
        <input
          id={`${id}zoom`}
          type="range"
          className="picture-zoom"
          min={1}
          max={maxZoom}
          step={0.05}
          value={zoomOf(crop, image)}
          onChange={(event) => setCrop((before) => zoomed(before, image, Number(event.target.value)))}
        />
        <p id={`${id}hint`} className="section-hint">
          {t("picture.cropHint")}
        </p>
      </div>
      <div className="dialog-actions">
        <button type="button" className="button" onClick={close}>
          {t("common.cancel")}
        </button>
        <button type="button" className="button button-primary" disabled={isBusy} onClick={() => void save()}>
          {t("picture.use")}
        </button>
      </div>
    </Modal>
  );
}

function draw(canvas: HTMLCanvasElement | OffscreenCanvas, image: ImageBitmap, { x, y, side }: Crop): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  context.imageSmoothingQuality = "high";
  // Behind what is transparent.
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, x - side / 2, y - side / 2, side, side, 0, 0, canvas.width, canvas.height);
}

/** The part as a file of its own, as good as there is room for. @throws Error where the browser makes none that is small enough */
async function encoded(image: ImageBitmap, crop: Crop): Promise<Uint8Array> {
  const px = Math.max(1, Math.min(maxPicturePx, Math.round(crop.side)));
  const canvas = new OffscreenCanvas(px, px);
  draw(canvas, image, crop);
  for (const quality of qualities) {
    const asWebp = await canvas.convertToBlob({ type: "image/webp", quality });
    const blob = asWebp.type === "image/webp" ? asWebp : await canvas.convertToBlob({ type: "image/jpeg", quality });
    if (blob.size <= maxPictureFileBytes) return new Uint8Array(await blob.arrayBuffer());
  }
  throw new Error("no picture is small enough");
}
