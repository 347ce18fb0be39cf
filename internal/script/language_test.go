package script

import (
	"bytes"
	"testing"
)

// TestLanguage runs scripts, each over a system of its own, and compares what they
// print and the error that ends them.
func TestLanguage(t *testing.T) {
	for _, tt := range []struct{ source, out, err string }{
		// Values and their types.
		{`:put [:typeof 1]; :put [:typeof 0x1F]; :put [:typeof true]`, "num\nnum\nbool\n", ""},
		{`:put [:typeof 1.2.3.4]; :put [:typeof 1.2.3.0/24]; :put [:typeof fe80::1]; :put [:typeof 2001:db8::/32]`, "ip\nip-prefix\nip6\nip6-prefix\n", ""},
		{`:put [:typeof 1h]; :put [:typeof 00:01:00]; :put [:typeof *1A]; :put [:typeof {1}]`, "time\ntime\nid\narray\n", ""},
		{`:put [:typeof $none]; :put [:typeof [:nothing]]; :put [:typeof [:find abc x]]; :put [:typeof [:parse ":put 1"]]`, "nothing\nnothing\nnil\ncode\n", ""},
		{`:put "a\tb\\\"\$x\_\41"; :put "one \
    two"`, "a\tb\\\"$x A\none two\n", ""},
		{`:local x 3; :put "$x $($x + 1) $[:len "abc"] 5\$"`, "3 4 3 5$\n", ""},
		{"# a remark\n:put 1; # another\n:put \\\n  2\n", "1\n2\n", ""},

		// Operators, the tighter first.
		{`:put (1 + 2 * 3); :put ((1 + 2) * 3); :put (7 / 2); :put (7 % 4); :put (-7 / 2)`, "7\n9\n3\n3\n-3\n", ""},
		{`:put (1 << 4 | 3); :put (6 & 3 ^ 1); :put (~0); :put (256 >> 4)`, "19\n3\n-1\n16\n", ""},
		{`:put (1 + 2 . "x" . 3 * 2)`, "3x6\n", ""},
		{`:put (1 < 2 and 2 < 1 or true); :put (not (1 = 1)); :put (!true or true); :put (1 != 2 && "a" < "b")`, "true\nfalse\ntrue\ntrue\n", ""},
		{`:put ("abc" ~ "^a.c\$"); :put (3 in {1;2;3}); :put (10.1.2.3 in 10.0.0.0/8); :put (10.1.0.0/16 in 10.0.0.0/8)`, "true\ntrue\ntrue\ntrue\n", ""},
		{`:put (10.0.0.1 + 255); :put (10.0.1.0 - 10.0.0.0); :put (10.0.0.255 & 255.255.255.0); :put (~255.255.255.0)`, "10.0.1.0\n256\n10.0.0.0\n0.0.0.255\n", ""},
		{`:put (1h + 30m); :put (1h * 2); :put (1d / 2); :put (10s - 15s); :put (1h > 59m)`, "01:30:00\n02:00:00\n12:00:00\n-00:00:05\ntrue\n", ""},
		{`:put ({1;2} , 3 , {"k"=4})`, "1;2;3;k=4\n", ""},
		{`:put (1 + true)`, "", "cannot add boolean to integer number (line 1 column 9)"},
		{`:put (1 / 0)`, "", "division by zero (line 1 column 9)"},
		{`:put (1 +)`, "", "syntax error (line 1 column 10)"},
		{`:put (1 + 2`, "", "syntax error (line 1 column 12)"},
		{`:put ("a" ~ "(")`, "", "invalid regular expression (line 1 column 11)"},

		// Arrays.
		{`:local a {"b"=2;"a"=1;5}; :put $a; :put ($a->"b"); :put ($a->0); :put [:len $a]`, "5;a=1;b=2\n2\n5\n3\n", ""},
		{`:local a {1;2}; :set ($a->0) 9; :set ($a->2) 3; :set ($a->"k") 4; :set ($a->1); :put $a`, "9;3;k=4\n", ""},
		{`:local a {"x"={"y"=1}}; :set ($a->"x"->"y") 2; :set ($a->"x"->"z") 3; :put ($a->"x"->"y"); :put ($a->"x")`, "2\ny=2;z=3\n", ""},
		{`:foreach k,v in={"b"=2;"a"=1;7} do={:put "$k is $v"}`, "0 is 7\na is 1\nb is 2\n", ""},
		{`:put [:pick "abcdef" 2 4]; :put [:pick {1;2;3} 1]; :put [:find "abcabc" "c" 2]; :put [:find {5;6} 6]`, "cd\n2\n5\n1\n", ""},
		{`:put [:toarray "a,b,c"]; :put [:len [:toarray ""]]; :put [:toarray "a b c" delimiter=" "]`, "a;b;c\n0\na;b;c\n", ""},
		{`:local a {1;2}; :set ($a->7) 1`, "", "no such index (line 1 column 25)"},

		// Variables and functions.
		{`:local x 1; {:local x 2; :put $x}; :put $x`, "2\n1\n", ""},
		{`:set x 1`, "", "no such variable x (line 1 column 6)"},
		{`:global f do={:return ($1 + $a)}; :put [$f 2 a=3]; :put [$f a=1 5]`, "5\n6\n", ""},
		{`:global twice do={:return ($1 * 2)}; :global quad do={:global twice; :return [$twice [$twice $1]]}; :put [$quad 3]`, "12\n", ""},
		{`:local f do={:local g do={:return ("<" . $1 . ">")}; :return [$g $1]}; :put [$f x]`, "<x>\n", ""},
		{`:local f do={:put "$1,$2,$3"}; $f a "b c"`, "a,b c,\n", ""},
		{`:local add [:parse "return (\$1 + \$2)"]; :put [$add 1 2]`, "3\n", ""},
		{`:local "my-name" 5; :put $"my-name"; :put "$"`, "5\n$\n", ""},
		{`$nosuch`, "", "bad command name nosuch (line 1 column 1)"},
		{`:global "a b" 1; :global c "x"; :environment print`, "a b=1\nc=\"x\"\n", ""},

		// Commands that steer.
		{`:if (1 > 2) do={:put a} else={:put b}`, "b\n", ""},
		{`:for i from=1 to=3 do={:put $i}; :for i from=3 to=1 step=-2 do={:put $i}`, "1\n2\n3\n3\n1\n", ""},
		{`:local i 0; :while ($i < 2) do={:set i ($i + 1); :put $i}; :do {:set i ($i - 1)} while=($i > 0); :put $i`, "1\n2\n0\n", ""},
		{`:do {:error "no"} on-error={:put caught}; :put after`, "caught\nafter\n", ""},
		{`:onerror e in={/ppp secret remove nosuch} do={:put "it is: $e"}; :put [:onerror e in={} do={}]`, "it is: no such item\nfalse\n", ""},
		{`:put 1; :error "my words"; :put 2`, "1\n", "my words"},
		{`:put 1; :return 5; :put 2`, "1\n", ""},
		{`:if (1) do={}`, "", "conditional not boolean (line 1 column 6)"},
		{`:local n 0; :retry command={:set n ($n + 1); :if ($n < 3) do={:error x}} max=5 delay=1ms; :put $n`, "3\n", ""},
		{`:local n 0; :retry command={:set n ($n + 1); :error x} max=2 on-error={:put "failed after $n"}`, "failed after 2\n", ""},
		{`:retry command={:error "every time"} max=2`, "", "every time"},
		{`:retry command={:error x}`, "", "missing value(s) of argument(s) max"},
		{`:put [:typeof [:time {:delay 1ms}]]; :delay 0`, "time\n", ""},

		// Conversions.
		{`:put [:tonum "12"]; :put [:tonum 0:1:0]; :put [:typeof [:tonum "x"]]; :put [:tostr {1;2}]`, "12\n60\nnil\n1;2\n", ""},
		{`:put [:toip "10.0.0.1"]; :put [:typeof [:toip "::1"]]; :put [:toip6 "2001:DB8::1"]; :put [:typeof [:toip6 1.2.3.4]]`, "10.0.0.1\nnil\n2001:db8::1\nnil\n", ""},
		{`:put [:totime 90]; :put [:totime "1d1h"]; :put [:tonsec 1ms]; :put [:tobool "yes"]; :put [:typeof [:toid "*1"]]`, "00:01:30\n1d01:00:00\n1000000\ntrue\nid\n", ""},
		{`:put [:convert "Hi!" to=base64]; :put [:convert "SGkh" from=base64]; :put [:convert "a b" to=url]; :put [:convert "a" to=hex]; :put [:convert "NBUSC" from=base32 to=hex]`, "SGkh\nHi!\na%20b\n61\n686921\n", ""},
		{`:put [:convert "abc" transform=uc]; :put [:convert "abc" transform=reverse to=hex]; :put [:convert "abc" transform=md5]`, "ABC\n636261\n900150983cd24fb0d6963f7d28e17f72\n", ""},
		{`:put [:convert "x" from=base64]`, "", "invalid value for argument value (line 1 column 7)"},
		{`:put [:convert "x" to=morse]`, "", "input does not match any value of to (line 1 column 23)"},
		{`:put [:serialize to=json value={"n"=1;"t"="a\"b";"l"={1;true;"7"};"i"=10.0.0.1}]`, `{"i":"10.0.0.1","l":[1,true,7],"n":1,"t":"a\"b"}` + "\n", ""},
		{`:put [:serialize to=json value={"7"} options=json.no-string-conversion]; :put [:serialize value=[:toarray ""] to=json]`, "[\"7\"]\n[]\n", ""},
		{`:put [:serialize to=json value={"a"={1}} options=json.pretty]`, "{\n    \"a\": [\n        1\n    ]\n}\n", ""},
		{`:local v [:deserialize from=json "{\"a\":[1,2.5,null,\"10.0.0.1\"],\"b\":{\"c\":false}}"]; :put $v; :put [:typeof ($v->"a"->3)]; :put [:typeof ($v->"a"->2)]`, "a=1;2.5;;10.0.0.1;b=c=false\nip\nnil\n", ""},
		{`:put [:typeof ([:deserialize from=json "[\"1\"]" options=json.no-string-conversion]->0)]`, "str\n", ""},
		{`:deserialize from=json "[1"`, "", "failure: JSON parse error (line 1 column 1)"},
		{`:deserialize from=json "1 2"`, "", "failure: JSON parse error (line 1 column 1)"},

		// Chance, time and names.
		{`:local n [:rndnum from=5 to=6]; :put ($n = 5 or $n = 6); :put [:rndnum from=-1 to=-1]; :put [:len [:rndstr]]; :put [:rndstr length=3 from="a"]`, "true\n-1\n16\naaa\n", ""},
		{`:rndnum from=2 to=1`, "", "invalid value for argument to (line 1 column 1)"},
		{`:rndstr length=70000`, "", "value of length out of range (0..65535) (line 1 column 1)"},
		{`:put ([:timestamp] > 2800w); :put [:typeof [:timestamp]]; :put [:jobname]`, "true\ntime\n\n", ""},
		{`:put [:resolve 192.0.2.1]; :put [:resolve "2001:db8::1" type=ipv6]`, "192.0.2.1\n2001:db8::1\n", ""},
		{`:resolve "no name" type=ipv9`, "", "input does not match any value of type (line 1 column 25)"},
		{`:resolve "no name"`, "", "failure: resolve failed (line 1 column 1)"},
		{`:put [:execute {:put 1; :put 2} as-string]`, "1\n2\n", ""},
		{`:put [:typeof [:execute {:delay 1ms}]]`, "id\n", ""},

		// Commands of menus.
		{`:put [:typeof [/system clock get time]]; :put [:len [/system clock get date]]`, "time\n10\n", ""},
		{`/interface pptp-client add name=c connect-to=192.0.2.1 user=u; :put ([/interface pptp-client monitor c once as-value]->"status")`, "disabled\n", ""},
		{`/interface pptp-client add name=c connect-to=192.0.2.1 user=u; :local x before; /interface pptp-client monitor c once as-value do={:put "$x $status"}`, "before disabled\n", ""},
		{`/interface pptp-client add name=c connect-to=192.0.2.1 user=u; /interface pptp-client monitor c once do={:put (1}`, "", "syntax error (line 1 column 8)"},
		{`/ppp profile {:put [get default name]; :foreach i in=[find name~"enc"] do={:put [get $i name]}}`, "default\ndefault-encryption\n", ""},
		{`:put [/ppp profile get number=default name]; :put [/ppp profile get value-name=name default]`, "default\ndefault\n", ""},
		{`[:put 1]; [:len 2]; [[:parse ":put 3"]]; :put [[:parse ":return 4"]]`, "1\n3\n4\n", ""},
		{`:delay 0.001s; :put [:totime "1.25s"]; :put [:typeof [:totime "1.s"]]; :put [:typeof [:totime "1.5"]]`, "00:00:01.250\nnil\nnil\n", ""},

		// Abbreviations and mistakes.
		{`:p x`, "", "ambiguous command name p (line 1 column 2)"},
		{`:foreac i in={1} do={:put $i}`, "1\n", ""},
		{`:nosuch`, "", "bad command name nosuch (line 1 column 2)"},
		{":put 1\n:put [/ppp secret get nosuch name]\n", "1\n", "Script Error: no such item (/ppp/secret/get; line 2)"},
		{":put 1\n\n/ppp secret\nadd name=a foo=1\n", "", "expected end of command (line 4 column 12)"},
		{`:put "open`, "", "syntax error (line 1 column 11)"},
		{`:if (true) do={:put 1`, "", "syntax error (line 1 column 22)"},
	} {
		var out bytes.Buffer
		err := Run(t.Context(), newEnv(t, &out), tt.source)
		failure := ""
		if err != nil {
			failure = err.Error()
		}
		if out.String() != tt.out || failure != tt.err {
			t.Errorf("%s\nprints %q, want %q\nerror %q, want %q", tt.source, out.String(), tt.out, failure, tt.err)
		}
	}
}
