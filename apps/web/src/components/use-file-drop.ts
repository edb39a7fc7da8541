import { useEffect, useRef, useState } from "react";
import type { Chosen } from "../attach/attach.ts";

/** So long after the last sign of it nothing is dragged over the page any more. */
const restMs = 600;

/**
 * Files that are dropped anywhere on the page; a browser alone would show the file in place of the app. Whether some are held over it now.
 */
export function useFileDrop(onFiles: (chosen: Chosen) => void): boolean {
  const [isDragged, setIsDragged] = useState(false);
  const told = useRef(onFiles);
  useEffect(() => {
    told.current = onFiles;
  }, [onFiles]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const take = (event: DragEvent): void => {
      const { dataTransfer: data } = event;
      if (data?.types.includes("Files") !== true) return;
      event.preventDefault();
      clearTimeout(timer);
      const isOver = event.type === "dragover";
      setIsDragged(isOver);
      if (isOver) timer = setTimeout(() => setIsDragged(false), restMs);
      else told.current(chosenOf(data));
    };
    document.addEventListener("dragover", take);
    document.addEventListener("drop", take);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("dragover", take);
      document.removeEventListener("drop", take);
    };
  }, []);
  return isDragged;
}

/** The files of a drop or a paste. Only while its event is told of. */
export function chosenOf(data: DataTransfer): Chosen {
  const items = [...data.items].filter(({ kind }) => kind === "file");
  const isFolder = (item: DataTransferItem): boolean => item.webkitGetAsEntry()?.isDirectory === true;
  const files = items.flatMap((item) => (isFolder(item) ? [] : (item.getAsFile() ?? [])));
  return { files, hasFolder: items.some(isFolder) };
}
