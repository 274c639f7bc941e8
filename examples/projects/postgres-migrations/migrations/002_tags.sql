CREATE TABLE tags (
  note integer NOT NULL REFERENCES notes ON DELETE CASCADE,
  name text NOT NULL,
  PRIMARY KEY (note, name)
);
INSERT INTO notes (text) VALUES ('the first one');
INSERT INTO tags VALUES (1, 'start');
