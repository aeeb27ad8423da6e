// Is the service on this port ready? For images without curl: node healthcheck.mjs 8088
const answer = await fetch(`http://127.0.0.1:${process.argv[2]}/readyz`).catch(() => undefined);
process.exit(answer?.ok ? 0 : 1);
