// Package lake keeps a folder of Parquet files together with the log that says which of them count.
//
// Its layout (format 1):
//
//	format                        version of this layout and the lake's id
//	data/dataset=<name>/date=<YYYY-MM-DD>/<writer>-<epoch>-<mark>-<n>.parquet
//	log/<20 digits>.json          one entry each: files added and removed, pipelines, marks, positions, holds
//	log/checkpoint-<20 digits>.json
//	log/tmp/                      entries on their way in
//	staging/<writer>/             files that a writer makes
//	trash/<removal>/              removed files until their time is over
//	ledger/                       what was removed, by whom, why
//	locks/<writer>, locks/readers/, locks/roles/
//
// It is for persist (adds files together with a mark), ingest (resumes a pipeline), query and tui (read), retain (removes)
// and the pipeline's supervisor. It is not a Parquet library, and it does not look into the files. It works on a local
// file system with hard links, flock and fsync.
//
// # Delivery
//
// A commit is one hard link: log/<n>.json appears whole or not at all, and two processes never both make it. What it names
// was made durable before. A reader that takes the file list from [State] therefore sees each committed row exactly once,
// whatever was killed; a plain glob over data/ may see files that are not committed, or no longer. A process that was
// superseded on a pipeline, or a writer that was declared dead, gets [ErrSuperseded] and has committed nothing.
//
// An entry's bytes are fsynced before the link, so a power loss leaves an entry whole or absent. A disk that lied may leave the newest
// one torn, or with files that are: then it counts as never written, is kept under trash/, and what it covered is read again. An entry
// in the middle that is not whole, or one that was whole and has changed, is refused with [ErrChain]: its number is spent, and what it
// said was acted upon.
package lake
