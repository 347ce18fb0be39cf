package rest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestDecode(t *testing.T) {
	for _, tt := range []struct{ body, want string }{
		{``, ``}, {` `, ``}, {`{}`, ``}, {" {\t}\r\n", ``},
		{`{"a":"b"}`, `a=b`}, {`{"a":1450,"b":-5,"c":0,"d":1.5}`, `a=1450 b=-5 c=0 d=1.5`},
		{`{"a":0x1F,"b":0755,"c":0XfF,"d":-0x10,"e":00}`, `a=31 b=493 c=255 d=-16 e=0`},
		{`{"a":true,"b":false,"c":null}`, `a=true b=false c=null`},
		{`{"a":["x","y"],"b":[1,true],"c":[]}`, `a=[x,y] b=[1,true] c=[]`},
		{`{"a" : "x\"\\\u00e9\ud83d\ude00" , ".id":"*1"}`, `a=x"\é😀 .id=*1`},
		{`{"":""}`, `=`}, {`{"a":"é"}`, `a=é`},
	} {
		fields, err := decode([]byte(tt.body))
		if err != nil {
			t.Errorf("%s: %v", tt.body, err)
			continue
		}
		var got []string
		for _, f := range fields {
			text := f.text()
			switch {
			case f.null:
				text = "null"
			case f.list:
				text = "[" + text + "]"
			}
			got = append(got, f.name+"="+text)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s: got %s, want %s", tt.body, s, tt.want)
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	var many strings.Builder
	many.WriteString(`{"x":1`)
	for i := range maxFields {
		fmt.Fprintf(&many, `,"a%d":1`, i)
	}
	for _, body := range []string{
		`x`, `[]`, `"a"`, `{}{}`, `{} x`, `{,}`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{"a":1 "b":2}`, `{a:1}`, `{"a":b}`, `{"a":'b'}`,
		`{"a":[1,]}`, `{"a":[[1]]}`, `{"a":[null]}`, `{"a":{}}`, `{"a":1e3}`, `{"a":1E3}`, `{"a":+1}`, `{"a":.5}`, `{"a":1.}`, `{"a":0x}`, `{"a":08}`,
		`{"a":0x1_0}`, `{"a":-}`, `{"a":--1}`, `{"a":"\x"}`, "{\"a\":\"\n\"}", "{\"a\":\"\xff\"}", `{"a":1,"a":2}`, `{"a":NaN}`, "{}\x00",
		`{"a":0x10000000000000000}`, many.String() + "}",
		`{"a":[` + strings.Repeat("1,", maxValues) + `1]}`, `{"a":[` + strings.Repeat("1,", maxValues-1) + `1],"b":1}`,
		`{"a":` + strings.Repeat("[", 1<<20), strings.Repeat(`{"a":`, 1<<18),
	} {
		if fields, err := decode([]byte(body)); err == nil || fields != nil {
			t.Errorf("%.60s: got %v without an error", body, fields)
		}
	}
	if fields, err := decode([]byte(`{"a":[` + strings.Repeat("1,", maxValues-1) + `1]}`)); err != nil || len(fields[0].texts) != maxValues {
		t.Errorf("as many values as there may be: %v", err)
	}
	whole := `{"a":"b\"c","d":[1,"e"],"f":0x1F,"g":null}`
	if _, err := decode([]byte(whole)); err != nil {
		t.Fatal(err)
	}
	for n := 1; n < len(whole); n++ {
		if _, err := decode([]byte(whole[:n])); err == nil {
			t.Errorf("%s: no error", whole[:n])
		}
	}
}

// FuzzDecode checks that what is decoded is what another decoder sees, as far as
// that one goes, and that what can be a request is decoded.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"name":"bob","disabled":true,"limit-bytes-in":10}`))
	f.Add([]byte(`{".proplist":["name"],".query":["service=pptp","#|"],"x":null}`))
	f.Add([]byte(`{"a":0x1F,"b":"\ud83d\ude00\n"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		fields, err := decode(body)
		var other map[string]any
		if json.Unmarshal(body, &other) != nil || err != nil {
			return
		}
		for _, f := range fields {
			want := other[f.name]
			switch v := want.(type) {
			case nil:
				if !f.null {
					t.Errorf("%s: %s is %v, want null", body, f.name, f.value)
				}
			case string:
				if f.text() != v {
					t.Errorf("%s: %s is %q, want %q", body, f.name, f.text(), v)
				}
			case bool:
				if f.text() != fmt.Sprint(v) {
					t.Errorf("%s: %s is %q, want %v", body, f.name, f.text(), v)
				}
			case []any:
				if len(f.texts) != len(v) || !f.list {
					t.Errorf("%s: %s has %d elements, want %d", body, f.name, len(f.texts), len(v))
				}
			}
		}
		if len(other) != len(fields) {
			t.Errorf("%s: %d names, want %d", body, len(fields), len(other))
		}
	})
}
