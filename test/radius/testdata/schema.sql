-- The users and the sessions of the test's server.
CREATE TABLE radcheck (id INTEGER PRIMARY KEY, username TEXT, attribute TEXT, op TEXT, value TEXT);
CREATE TABLE radreply (id INTEGER PRIMARY KEY, username TEXT, attribute TEXT, op TEXT, value TEXT);
CREATE TABLE session (
	id TEXT PRIMARY KEY, user TEXT, nas TEXT, start INTEGER, stop INTEGER, updates INTEGER DEFAULT 0,
	address TEXT, time INTEGER, input INTEGER, output INTEGER, cause TEXT, authentic TEXT
);
INSERT INTO radcheck (username, attribute, op, value) VALUES ('u-sql', 'Cleartext-Password', ':=', 'StrongPass');
INSERT INTO radreply (username, attribute, op, value) VALUES ('u-sql', 'Framed-IP-Address', '=', '10.99.0.1');
INSERT INTO radreply (username, attribute, op, value) VALUES ('u-sql', 'Mikrotik-Rate-Limit', '=', '3M/4M');
