// One ClickHouse engine in this process: a line of JSON in, one out.
//   {"sql": text, "body": text or "file": path}   -> {"rows": [objects]} or {"error": text}
// body or file is what follows an INSERT ... FORMAT. argv: where npm put the engine, its directory.
const readline = require("readline");
const fs = require("fs");
const { Session } = require(process.argv[2] + "/node_modules/chdb");
const session = new Session(process.argv[3]);

function answer(q) {
    const body = q.file ? fs.readFileSync(q.file, "utf8") : q.body;
    const text = session.query(body === undefined ? q.sql : q.sql + "\n" + body, "JSONEachRow");
    return { rows: text.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line)) };
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
    let out;
    try {
        out = answer(JSON.parse(line));
    } catch (e) {
        out = { error: String(e.message || e) };
    }
    process.stdout.write(JSON.stringify(out) + "\n");
});
