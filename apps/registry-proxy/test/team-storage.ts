/** Where what is counted of a team's storage differs from what its repositories hold: nowhere, ever. */
export const MISCOUNTED = `WITH held AS (
     SELECT r.team, h.digest, count(*)::int AS holders, b.size
     FROM (SELECT repository, digest FROM blob_links UNION ALL SELECT repository, digest FROM manifests) h
     JOIN repositories r ON r.name = h.repository AND r.team IS NOT NULL JOIN blobs b ON b.digest = h.digest
     GROUP BY r.team, h.digest, b.size)
   SELECT team, digest, held.holders, t.holders AS counted FROM held FULL JOIN team_blobs t USING (team, digest)
   WHERE (held.holders, held.size) IS DISTINCT FROM (t.holders, t.size)`;
