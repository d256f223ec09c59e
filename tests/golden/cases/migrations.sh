# A text of a schema version that was released is refused by the build once it was changed or taken out.
root=${EXAMPLES%/data/examples}
freeze() {
    python3 "$root/tools/records.py" "$root/schema/records.json" "$root/schema/core.sql" store.c "$@" 2>&1 |
        grep -E '^    \{.*migration_|frozen/'
}
mkdir frozen
for of in sqlite postgres; do
    echo "CREATE TABLE one(id INT)" >frozen/0001_first.$of.sql
    echo "CREATE TABLE two(id INT)" >frozen/0002_second_one.$of.sql
done
freeze frozen/*
(cd frozen && sha256sum *.sql >SHA256SUMS)
freeze frozen/*.sql
freeze frozen/0001*.sql
echo "-- changed" >>frozen/0001_first.sqlite.sql
freeze frozen/*.sql
