#!/bin/bash
# What Subversion keeps in the database of a working copy, while files are added, changed, moved, merged and thrown away.
set -eu
export HOME=$PWD LC_ALL=C
svnadmin create repository
url=file://$PWD/repository
[ -z "${RECORDER:-}" ] || export LD_PRELOAD=$RECORDER
svn -q checkout "$url" copy
cd copy
mkdir -p trunk/a/b trunk/c branches
for i in 1 2 3 4 5 6; do
    echo "line $i" >trunk/a/f$i
    echo "x $i" >trunk/a/b/g$i
    echo "y" >trunk/c/h$i
done
svn -q add trunk branches
svn -q commit -m "first"
svn -q update
svn -q copy ^/trunk ^/branches/x -m "a branch"
svn -q update
echo more >>trunk/a/f1
svn -q propset color red trunk/a/f2
svn -q move trunk/a/f3 trunk/a/f9
svn -q remove trunk/c/h1
svn status
svn diff
svn -q commit -m "changes"
svn -q update
echo other >>branches/x/a/f1
echo new >branches/x/a/new
svn -q add branches/x/a/new
svn -q move branches/x/c branches/x/d
svn -q commit -m "changes of the branch"
svn -q update
svn merge --accept postpone ^/branches/x trunk
svn status
svn -q resolve -R --accept working trunk
svn -q commit -m "merged"
svn -q update
svn -q move trunk/a trunk/a2
echo again >>trunk/a2/f1
svn status -v
svn -q revert -R trunk
svn -q cleanup
svn -q update -r 2
svn -q update
svn -q switch ^/branches/x trunk --ignore-ancestry
svn info -R
svn -q changelist some trunk/a/new
svn status
svn -q update --set-depth files trunk
svn -q update --set-depth infinity trunk
svn propget -R color .
svn list -R .
svn proplist -v -R .
svn -q export . ../exported
svn -q upgrade
