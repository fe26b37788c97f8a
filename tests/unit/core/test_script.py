"""Rule P6: the statements of a script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlspec.core.facts import LexicalFacts
from sqlspec.core.script import split
from sqlspec.dialects import duckdb, mysql, postgres, sqlite

ALL = [postgres.LEXICAL, sqlite.LEXICAL, mysql.LEXICAL, duckdb.LEXICAL]

TRIGGER = """CREATE TEMP TRIGGER IF NOT EXISTS x AFTER UPDATE OF a ON t FOR EACH ROW
WHEN CASE WHEN NEW.a THEN 1 END BEGIN
  UPDATE t SET a = CASE WHEN b THEN CASE c WHEN 1 THEN 2 END ELSE 3 END; -- ; END
  INSERT INTO u VALUES ('; END;');
END"""

PROCEDURE = """CREATE DEFINER=`root`@`localhost` PROCEDURE p(IN a int)
BEGIN
  DECLARE done int DEFAULT IF(a, 1, 0);
  DECLARE CONTINUE HANDLER FOR NOT FOUND BEGIN SET done = 1; END;
  DROP TABLE IF EXISTS x; CREATE TABLE IF NOT EXISTS x (a int);
  IF a THEN SELECT REPEAT('x', 3); ELSEIF b THEN SET c = 1; ELSE IF d THEN SET e = 1; END IF; END IF;
  l: LOOP LEAVE l; END LOOP l;
  WHILE a > 0 DO SET a = a - 1; END WHILE;
  REPEAT SET a = a + 1; UNTIL a > 5 END REPEAT;
  CASE a WHEN 1 THEN SELECT 1; ELSE BEGIN END; END CASE;
  SELECT endpoint, `end` FROM t;
END"""

ATOMIC = """CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql
BEGIN ATOMIC SELECT 1; SELECT CASE WHEN 1 THEN 2 END; END"""

WHOLE = [
    "SELECT 1",
    "SELECT ';' AS \"a;b\"",
    "SELECT 1 /* ; */ + 2",
    "INSERT INTO t VALUES (1)",
    "BEGIN",
    "BEGIN TRANSACTION",
    "END",
    "COMMIT",
    "-- first; really\nSELECT 2",
    "SELECT CASE WHEN 1 THEN 2 END",
    TRIGGER,
    ATOMIC,
    "CREATE FUNCTION f() RETURNS int RETURN 1",
    "CREATE TABLE begin_x (a int)",
    "CREATE RULE r AS ON INSERT TO t DO ALSO (a; b)",
    "CREATE TRIGGER t BEFORE INSERT ON x FOR EACH ROW IF NEW.a THEN SET NEW.b = 1; END IF",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN DELETE FROM t; END",
    "BEGIN NOT ATOMIC SELECT 1; SELECT 2; END",
    "DROP TRIGGER x",
    "ALTER EVENT e DO BEGIN DELETE FROM t; END",
]


@pytest.mark.parametrize("facts", ALL, ids=["postgres", "sqlite", "mysql", "duckdb"])
@given(
    picked=st.lists(st.sampled_from([w for w in WHOLE if "`" not in w]), max_size=8),
    end=st.sampled_from(["", ";", ";\n"]),
)
def test_statements_come_back(facts: LexicalFacts, picked: list[str], end: str) -> None:
    """Whatever statements stand behind one another, each comes back as it was written."""  # P6
    assert split(" ;\n".join(picked) + end, facts) == picked


def test_mysql_body() -> None:
    """Blocks inside a body do not end it."""  # P6
    assert split(f"{PROCEDURE};SELECT 1", mysql.LEXICAL) == [PROCEDURE, "SELECT 1"]


def test_dollar_quotes() -> None:
    """A dollar quoted body is one text."""  # P6
    body = "CREATE FUNCTION f() RETURNS int AS $f$ BEGIN; END; $$;$$ $f$ LANGUAGE plpgsql"
    assert split(f"{body}; DO $$ a; b $$; SELECT 1", postgres.LEXICAL) == [body, "DO $$ a; b $$", "SELECT 1"]


@pytest.mark.parametrize("facts", ALL, ids=["postgres", "sqlite", "mysql", "duckdb"])
@pytest.mark.parametrize("sign", ["//", "$$", "|", "END_OF"])
def test_delimiter(facts: LexicalFacts, sign: str) -> None:
    """DELIMITER lines are obeyed on every dialect, and not sent."""  # P6
    script = f"""SELECT 1;
DELIMITER {sign}
CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END {sign}
DROP PROCEDURE p; {sign}
  delimiter ;
SELECT '
DELIMITER x
', 3; SELECT 4"""
    assert split(script, facts) == [
        "SELECT 1",
        "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END",
        "DROP PROCEDURE p;",
        "SELECT '\nDELIMITER x\n', 3",
        "SELECT 4",
    ]


def test_delimiter_is_also_a_word() -> None:
    """DELIMITER inside a statement is a word like others."""  # P6
    script = "COPY t FROM STDIN WITH (FORMAT csv,\nDELIMITER ';');\nCOPY t FROM 'x'\nDELIMITER ','\nCSV; SELECT 1"
    assert len(split(script, postgres.LEXICAL)) == 3


@pytest.mark.parametrize("script", ["", ";", " ; ;\n", "-- only a comment", "/* a */ ; -- b\n;"])
def test_nothing(script: str) -> None:
    """Empty and comment-only parts are left out."""  # P6
    assert split(script, postgres.LEXICAL) == []


def test_comments_stay() -> None:
    """Comments stay with the statement they stand before or in."""  # P6
    script = "-- head; x\nSELECT 1 -- in; y\n, 2;\n/* next */ SELECT 3; -- tail"
    expected = ["-- head; x\nSELECT 1 -- in; y\n, 2", "/* next */ SELECT 3"]
    assert split(script, sqlite.LEXICAL) == expected


@pytest.mark.parametrize(
    ("script", "expected"), [("SELECT 'a; b", 1), ("SELECT 1; SELECT /* ; x", 2), ("SELECT (1; 2", 1)]
)
def test_unclosed(script: str, expected: int) -> None:
    """What is never closed runs to the end; the database will say so."""  # P6
    assert len(split(script, sqlite.LEXICAL)) == expected


@given(st.sampled_from(ALL), st.text(alphabet="';\"$-/*\n ()BEGINDcaseif", max_size=60))
def test_any_text(facts: LexicalFacts, script: str) -> None:
    """No text makes the splitter fail, and what it gives stands in the text."""  # P6
    position = 0
    for statement in split(script, facts):
        position = script.index(statement, position) + len(statement)
