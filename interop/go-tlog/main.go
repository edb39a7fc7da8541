// Command go-tlog checks notes, proofs and tiles with golang.org/x/mod/sumdb/note and tlog, and makes some of its own.
// It reads one JSON object (type input) on standard input and writes one (type output) on standard output.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type input struct {
	// Notes, each to be opened with the keys of one log and its witnesses.
	Notes []struct {
		Note         string   `json:"note"`
		LogVkey      string   `json:"logVkey"`
		WitnessVkeys []string `json:"witnessVkeys"`
		IsCheckpoint bool     `json:"isCheckpoint"`
	} `json:"notes"`
	Inclusions []struct {
		Index int64       `json:"index"`
		Size  int64       `json:"size"`
		Root  tlog.Hash   `json:"root"`
		Leaf  tlog.Hash   `json:"leaf"`
		Proof []tlog.Hash `json:"proof"`
	} `json:"inclusions"`
	Consistencies []struct {
		From     int64       `json:"from"`
		To       int64       `json:"to"`
		FromRoot tlog.Hash   `json:"fromRoot"`
		ToRoot   tlog.Hash   `json:"toRoot"`
		Proof    []tlog.Hash `json:"proof"`
	} `json:"consistencies"`
	// Trees with their tiles, by C2SP path. Every record is read, hashed and proved from tiles alone.
	Trees []struct {
		Size  int64             `json:"size"`
		Root  tlog.Hash         `json:"root"`
		Tiles map[string][]byte `json:"tiles"`
	} `json:"trees"`
	// What to make.
	Make struct {
		Name    string   `json:"name"`
		Entries [][]byte `json:"entries"`
		From    int64    `json:"from"`
	} `json:"make"`
}

type opened struct {
	Error    string   `json:"error,omitempty"`
	Verified []string `json:"verified"`
	Times    []int64  `json:"times"`
	Origin   string   `json:"origin,omitempty"`
	Size     int64    `json:"size"`
	Root     string   `json:"root,omitempty"`
}

type made struct {
	Vkey        string            `json:"vkey"`
	Checkpoint  string            `json:"checkpoint"`
	FromRoot    tlog.Hash         `json:"fromRoot"`
	Inclusions  [][]tlog.Hash     `json:"inclusions"`
	Consistency []tlog.Hash       `json:"consistency"`
	Tiles       map[string][]byte `json:"tiles"`
}

type output struct {
	Notes         []opened `json:"notes"`
	Inclusions    []string `json:"inclusions"`
	Consistencies []string `json:"consistencies"`
	Trees         []string `json:"trees"`
	Made          made     `json:"made"`
}

func main() {
	var in input
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		fail(err)
	}
	out := output{Notes: []opened{}, Inclusions: []string{}, Consistencies: []string{}, Trees: []string{}}
	for _, n := range in.Notes {
		out.Notes = append(out.Notes, open(n.Note, n.LogVkey, n.WitnessVkeys, n.IsCheckpoint))
	}
	for _, p := range in.Inclusions {
		out.Inclusions = append(out.Inclusions, text(tlog.CheckRecord(p.Proof, p.Size, p.Root, p.Index, p.Leaf)))
	}
	for _, p := range in.Consistencies {
		out.Consistencies = append(out.Consistencies, text(tlog.CheckTree(p.Proof, p.To, p.ToRoot, p.From, p.FromRoot)))
	}
	for _, t := range in.Trees {
		out.Trees = append(out.Trees, text(checkTree(tlog.Tree{N: t.Size, Hash: t.Root}, t.Tiles)))
	}
	if in.Make.Name != "" {
		m, err := makeLog(in.Make.Name, in.Make.Entries, in.Make.From)
		if err != nil {
			fail(err)
		}
		out.Made = *m
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// cosigner verifies cosignature/v1 (C2SP tlog-cosignature), which x/mod does not know by itself.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }
func (c *cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(sig), msg)
	return ed25519.Verify(c.key, []byte(signed), sig[8:])
}

func newCosigner(vkey string) (*cosigner, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, fmt.Errorf("malformed vkey")
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 1+ed25519.PublicKeySize || key[0] != 0x04 {
		return nil, fmt.Errorf("not a cosigner's vkey")
	}
	id := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	hash := binary.BigEndian.Uint32(id[:])
	if fmt.Sprintf("%08x", hash) != parts[1] {
		return nil, fmt.Errorf("vkey with another key id")
	}
	return &cosigner{name: parts[0], hash: hash, key: key[1:]}, nil
}

func open(msg, logVkey string, witnessVkeys []string, isCheckpoint bool) opened {
	out := opened{Verified: []string{}, Times: []int64{}}
	log, err := note.NewVerifier(logVkey)
	if err != nil {
		out.Error = err.Error()
		return out
	}
	verifiers := []note.Verifier{log}
	for _, vkey := range witnessVkeys {
		c, err := newCosigner(vkey)
		if err != nil {
			out.Error = err.Error()
			return out
		}
		verifiers = append(verifiers, c)
	}
	n, err := note.Open([]byte(msg), note.VerifierList(verifiers...))
	if err != nil {
		out.Error = err.Error()
		return out
	}
	for _, sig := range n.Sigs {
		out.Verified = append(out.Verified, sig.Name)
		raw, _ := base64.StdEncoding.DecodeString(sig.Base64)
		if len(raw) == 4+8+ed25519.SignatureSize {
			out.Times = append(out.Times, int64(binary.BigEndian.Uint64(raw[4:])))
		}
	}
	if isCheckpoint {
		lines := strings.Split(n.Text, "\n")
		if len(lines) < 4 {
			out.Error = "not a checkpoint"
			return out
		}
		out.Origin, out.Root = lines[0], lines[2]
		if out.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
			out.Error = err.Error()
		}
	}
	return out
}

// c2spPath is the path of a tile of height 8 without its height: C2SP fixes it.
func c2spPath(t tlog.Tile) string {
	return "tile/" + strings.TrimPrefix(t.Path(), "tile/8/")
}

// tilesOf are the tiles of a tree of this size; NewTiles also gives every narrower width of the partial ones.
func tilesOf(size int64) []tlog.Tile {
	var tiles []tlog.Tile
	for _, t := range tlog.NewTiles(8, 0, size) {
		count := size >> uint(8*t.L)
		if t.W == 256 || (t.N == count/256 && int64(t.W) == count%256) {
			tiles = append(tiles, t)
		}
	}
	return tiles
}

type tileReader map[string][]byte

func (r tileReader) Height() int { return 8 }
func (r tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, t := range tiles {
		tile, ok := r[c2spPath(t)]
		if !ok {
			return nil, fmt.Errorf("missing %s", c2spPath(t))
		}
		data = append(data, tile)
	}
	return data, nil
}
func (r tileReader) SaveTiles(tiles []tlog.Tile, data [][]byte) {}

// checkTree reads all of a tree from its tiles, each authenticated by the root, and every entry from its bundle.
func checkTree(tree tlog.Tree, tiles map[string][]byte) error {
	reader := tlog.TileHashReader(tree, tileReader(tiles))
	root, err := tlog.TreeHash(tree.N, reader)
	if err != nil {
		return err
	}
	if root != tree.Hash {
		return fmt.Errorf("tiles lead to another root")
	}
	for _, t := range tilesOf(tree.N) {
		data, err := tlog.ReadTileData(t, reader)
		if err != nil {
			return err
		}
		if !bytes.Equal(data, tiles[c2spPath(t)]) {
			return fmt.Errorf("%s differs", c2spPath(t))
		}
		if t.L == 0 {
			if err := checkBundle(t, data, tiles); err != nil {
				return err
			}
		}
	}
	for index := int64(0); index < tree.N; index++ {
		proof, err := tlog.ProveRecord(tree.N, index, reader)
		if err != nil {
			return err
		}
		leaf, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf[0]); err != nil {
			return err
		}
	}
	return nil
}

// checkBundle hashes the entries of a bundle (C2SP tlog-tiles, "Log entries") and compares them with their tile.
func checkBundle(t tlog.Tile, hashes []byte, tiles map[string][]byte) error {
	path := strings.Replace(c2spPath(t), "tile/0/", "tile/entries/", 1)
	bundle, ok := tiles[path]
	if !ok {
		return fmt.Errorf("missing %s", path)
	}
	for len(hashes) > 0 {
		if len(bundle) < 2 || len(bundle)-2 < int(binary.BigEndian.Uint16(bundle)) {
			return fmt.Errorf("%s is cut off", path)
		}
		end := 2 + int(binary.BigEndian.Uint16(bundle))
		if hash := tlog.RecordHash(bundle[2:end]); !bytes.Equal(hash[:], hashes[:tlog.HashSize]) {
			return fmt.Errorf("%s differs from its tile", path)
		}
		bundle, hashes = bundle[end:], hashes[tlog.HashSize:]
	}
	if len(bundle) != 0 {
		return fmt.Errorf("%s holds more than its tile", path)
	}
	return nil
}

// makeLog is a log by x/mod alone: signed checkpoint, all inclusion proofs, a consistency proof and the tiles.
func makeLog(name string, entries [][]byte, from int64) (*made, error) {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var hashes []tlog.Hash
		for _, index := range indexes {
			hashes = append(hashes, stored[index])
		}
		return hashes, nil
	})
	for i, entry := range entries {
		hashes, err := tlog.StoredHashes(int64(i), entry, reader)
		if err != nil {
			return nil, err
		}
		stored = append(stored, hashes...)
	}
	size := int64(len(entries))
	root, err := tlog.TreeHash(size, reader)
	if err != nil {
		return nil, err
	}
	fromRoot, err := tlog.TreeHash(from, reader)
	if err != nil {
		return nil, err
	}
	skey, vkey, err := note.GenerateKey(nil, name)
	if err != nil {
		return nil, err
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		return nil, err
	}
	checkpoint, err := note.Sign(&note.Note{Text: fmt.Sprintf("%s\n%d\n%s\n", name, size, root)}, signer)
	if err != nil {
		return nil, err
	}
	out := &made{Vkey: vkey, Checkpoint: string(checkpoint), FromRoot: fromRoot, Tiles: map[string][]byte{}}
	if out.Consistency, err = tlog.ProveTree(size, from, reader); err != nil {
		return nil, err
	}
	for index := int64(0); index < size; index++ {
		proof, err := tlog.ProveRecord(size, index, reader)
		if err != nil {
			return nil, err
		}
		out.Inclusions = append(out.Inclusions, proof)
	}
	for _, t := range tilesOf(size) {
		if out.Tiles[c2spPath(t)], err = tlog.ReadTileData(t, reader); err != nil {
			return nil, err
		}
	}
	return out, nil
}
