#!/usr/bin/env python3
"""What a file system says to some 1,100 system calls: for each kind of file, owner and user, which of
times, modes, owners, links and sizes change, and which calls are refused; and the limits of names.
Prints a line a call, the same for every file system that is right: compare two outputs.

usage: conformance.py DIRECTORY      (an empty one; as root)
"""
import os,sys,time,stat,socket,errno
root=sys.argv[1]; os.chdir(root)
out=[]
def mk(kind,name):
    if kind=='reg': open(name,'w').close()
    elif kind=='dir': os.mkdir(name)
    elif kind=='fifo': os.mkfifo(name)
    elif kind=='blk': os.mknod(name,0o644|stat.S_IFBLK,os.makedev(1,2))
    elif kind=='chr': os.mknod(name,0o644|stat.S_IFCHR,os.makedev(1,2))
    elif kind=='sock':
        s=socket.socket(socket.AF_UNIX); s.bind(name); s.close()
    elif kind=='lnk': os.symlink('target',name)
def st(p):
    try:
        s=os.lstat(p); return s
    except OSError as e: return None
def run(label,paths,f,uid=0):
    before=[st(p) for p in paths]
    time.sleep(0.006)
    try:
        os.setegid(uid); os.seteuid(uid)
        r=f(); r='ok' 
    except OSError as e: r=errno.errorcode[e.errno]
    finally: os.seteuid(0); os.setegid(0)
    after=[st(p) for p in paths]
    row=[]
    for p,b,a in zip(paths,before,after):
        if b is None or a is None: row.append(f"{p}:{'-' if b is None else 'b'}{'-' if a is None else 'a'}"); continue
        if a.st_ino!=b.st_ino: row.append(f"{p}:another:{oct(a.st_mode)}:{a.st_nlink}:{a.st_uid}:{a.st_gid}"); continue
        ch=''.join(n for n,x in (('m',a.st_mtime_ns!=b.st_mtime_ns),('c',a.st_ctime_ns!=b.st_ctime_ns),('M',a.st_mode!=b.st_mode),('u',a.st_uid!=b.st_uid),('g',a.st_gid!=b.st_gid),('n',a.st_nlink!=b.st_nlink),('s',a.st_size!=b.st_size and not stat.S_ISDIR(a.st_mode)),('i',a.st_ino!=b.st_ino)) if x)
        row.append(f"{p}:{ch}:{oct(a.st_mode)}:{a.st_nlink}:{a.st_uid}:{a.st_gid}")
    out.append(f"{label} {r} "+' '.join(row))
n=0
for kind in ['reg','dir','fifo','blk','chr','sock','lnk']:
    for owner in (0,65534):
        for uid in (0,65534,65533):
            n+=1; d=f"d{n}"; os.mkdir(d); os.chmod(d,0o777); os.mkdir(d+'/e'); os.chmod(d+'/e',0o777)
            f=d+'/f'; g=d+'/e/g'; P=[d,d+'/e',f,g]
            mk(kind,f); os.lchown(f,owner,owner)
            L=f"{kind} own{owner} uid{uid}"
            if kind!='lnk':
                for m in (0o6777,0o4755,0o2755,0o1777,0o644): run(L+f" chmod {m:o}",P,lambda:os.chmod(f,m),uid)
            os.chmod(f,0o6777) if kind!='lnk' else None
            for (u,gg) in ((-1,-1),(owner,-1),(-1,owner),(65532,-1),(-1,65532),(owner,owner)):
                run(L+f" chown {u} {gg}",P,lambda:os.lchown(f,u,gg),uid)
                if kind!='lnk': os.chmod(f,0o6777)
                os.lchown(f,owner,owner)
            run(L+" utime now",P,lambda:os.utime(f,follow_symlinks=False),uid)
            run(L+" utime set",P,lambda:os.utime(f,ns=(10**18,10**18+5),follow_symlinks=False),uid)
            run(L+" link",P,lambda:os.link(f,g,follow_symlinks=False),uid)
            run(L+" link again",P,lambda:os.link(f,g,follow_symlinks=False),uid)
            run(L+" rename same",P,lambda:os.rename(f,g),uid)
            run(L+" unlink g",P,lambda:os.unlink(g),uid)
            run(L+" rename",P,lambda:os.rename(f,g),uid)
            run(L+" rename back",P,lambda:os.rename(g,f),uid)
            for k2 in ('reg','dir','lnk'):
                if not os.path.lexists(g): mk(k2,g)
                if not os.path.lexists(f): mk(kind,f)
                run(L+f" rename over {k2}",P,lambda:os.rename(f,g),uid)
                if os.path.lexists(g): (os.rmdir if stat.S_ISDIR(os.lstat(g).st_mode) else os.unlink)(g)
            if not os.path.lexists(f): mk(kind,f); os.lchown(f,owner,owner)
            if kind=='reg':
                os.chmod(f,0o666)
                run(L+" truncate",P,lambda:os.truncate(f,123),uid)
                os.chmod(f,0o6777)
                run(L+" truncate setid",P,lambda:os.truncate(f,12),uid)
                os.chmod(f,0o6777)
                def w():
                    fd=os.open(f,os.O_WRONLY); os.write(fd,b'x'); os.close(fd)
                run(L+" write setid",P,w,uid)
                os.chmod(f,0o666)
                def w():
                    fd=os.open(f,os.O_WRONLY|os.O_TRUNC); os.close(fd)
                run(L+" otrunc",P,w,uid); run(L+" otrunc empty",P,w,uid)
                def w():
                    fd=os.open(f,os.O_RDWR); os.posix_fallocate(fd,0,5000); os.close(fd)
                run(L+" fallocate",P,w,uid)
                def w():
                    fd=os.open(f,os.O_WRONLY|os.O_CREAT|os.O_EXCL); os.close(fd)
                run(L+" oexcl",P,w,uid)
                os.chmod(f,0o400); run(L+" open denied w",P,lambda:os.close(os.open(f,os.O_WRONLY)),uid)
                run(L+" setxattr",P,lambda:os.setxattr(f,'user.a',b'1'),uid)
            if kind=='dir':
                os.chmod(f,0o777)
                for k3 in ('reg','dir','fifo','lnk','sock'):
                    run(L+f" make {k3} in",[f,f+'/x'],lambda:mk(k3,f+'/x'),uid)
                    if os.path.lexists(f+'/x'): (os.rmdir if k3=='dir' else os.unlink)(f+'/x')
                os.chmod(f,0o2777); os.chown(f,0,65532)
                for k3 in ('reg','dir'):
                    run(L+f" make {k3} in setgid",[f,f+'/x'],lambda:mk(k3,f+'/x'),uid)
                    if os.path.lexists(f+'/x'): (os.rmdir if k3=='dir' else os.unlink)(f+'/x')
                os.chmod(f,0o1777); os.chown(f,0,0)
                for o2 in (0,65534,65533):
                    for k3 in ('reg','dir'):
                        mk(k3,f+'/y'); os.chown(f+'/y',o2,o2)
                        run(L+f" sticky rename {o2} {k3}",[f,f+'/y'],lambda:os.rename(f+'/y',f+'/z'),uid)
                        if os.path.lexists(f+'/z'): os.rename(f+'/z',f+'/y')
                        run(L+f" sticky rm {o2} {k3}",[f,f+'/y'],lambda:(os.rmdir if k3=='dir' else os.unlink)(f+'/y'),uid)
                        if os.path.lexists(f+'/y'): (os.rmdir if k3=='dir' else os.unlink)(f+'/y')
                run(L+" rmdir",P,lambda:os.rmdir(f),uid)
            else:
                run(L+" unlink",P,lambda:os.unlink(f),uid)
# set-group-ID where the group may not execute: it goes unless the caller belongs to the group
os.mkdir('groups'); os.chmod('groups',0o777)
f='groups/f'
def content(f,data):
    with open(f,'wb') as file: file.write(data)
def changed(how):
    if how=='truncate': return os.truncate(f,5)
    if how=='chown': return os.chown(f,-1,-1)
    if how=='chgrp': return os.chown(f,-1,65533)
    fd=os.open(f,os.O_RDWR|(os.O_TRUNC if how=='otrunc' else 0))
    if how=='write': os.write(fd,b'x')
    if how=='ftruncate': os.ftruncate(fd,6)
    if how=='fallocate': os.posix_fallocate(fd,0,100)
    os.close(fd)
for mode in (0o2666,0o6666,0o2676,0o6767):
    for owner in (65533,65534):
        for group in (65533,65534):
            for more in ([],[65534]):
                for how in ('write','truncate','ftruncate','otrunc','fallocate','chown','chgrp'):
                    content(f,b'0123456789'); os.chown(f,owner,group); os.chmod(f,mode)
                    os.setgroups(more)
                    run(f"groups {mode:o} {owner}:{group} {more} {how}",[f],lambda:changed(how),65533)
                    os.setgroups([]); os.unlink(f)
# a list that is not there goes without complaint
content(f,b'')
for n in ('system.posix_acl_access','system.posix_acl_default'): run(f"no {n}",['groups'],lambda:os.removexattr('groups',n))
# limits
os.mkdir('limits'); os.mkdir('limits/d1'); os.mkdir('limits/d1/e'); os.chdir('limits')
N='n'*255
for label,fn in [("name255",lambda:mk('reg',N)),("name256",lambda:mk('reg',N+'n')),("mkdir256",lambda:os.mkdir(N+'n')),("rename256",lambda:os.rename(N,N+'x')),("symlink256",lambda:os.symlink('a',N+'x')),("link256",lambda:os.link(N,N+'x')),
 ("lookup256",lambda:os.lstat(N+'n')),("unlink256",lambda:os.unlink(N+'n')),("loop",lambda:(os.symlink('loopb','loopa'),os.symlink('loopa','loopb'),os.stat('loopa'))),("loopopen",lambda:os.open('loopa/x',os.O_RDONLY)),
 ("nofollow",lambda:os.open('loopa',os.O_NOFOLLOW)),("dirwrite",lambda:os.open('.',os.O_WRONLY)),("rmdir.",lambda:os.rmdir('d1/.')),("rmdir..",lambda:os.rmdir('d1/..')),("rename.",lambda:os.rename('d1/.','d99')),("renamesub",lambda:os.rename('d1','d1/e/x')),("renametoparent",lambda:os.rename('d1/e','d1')),
 ("symlink1023",lambda:os.symlink('x'*1023,'s1')),("symlink4095",lambda:os.symlink('x'*4095,'s2')),("symlink4096",lambda:os.symlink('x'*4096,'s3')),("symlinkempty",lambda:os.symlink('','s4')),("trunc neg",lambda:os.truncate(N,-1)),
 ("linkdir",lambda:os.link('d1','dl')),("opensock",lambda:(mk('sock','sk'),os.open('sk',os.O_RDONLY))),("fiforw",lambda:(mk('fifo','ff'),os.open('ff',os.O_WRONLY|os.O_NONBLOCK))),("trailing",lambda:os.mkdir('tr/')),("trail2",lambda:os.open('new/',os.O_CREAT|os.O_WRONLY)),("trail3",lambda:os.rename('tr/','tr2/')),("trail4",lambda:os.symlink('a','tq/')),("odir",lambda:os.open(N,os.O_DIRECTORY)),("creatdir",lambda:os.open('d1',os.O_CREAT|os.O_RDONLY)),("creatdirx",lambda:os.open('d1',os.O_CREAT|os.O_EXCL|os.O_RDONLY))]:
    run(label,['../limits'],fn)
os.chdir('..')
# unlinked open
fd=os.open('u',os.O_CREAT|os.O_RDWR); os.write(fd,b'hello'); os.unlink('u'); s=os.fstat(fd); out.append(f"unlinked {s.st_nlink} {s.st_size} {os.pread(fd,9,0)}")
os.ftruncate(fd,2); os.fchmod(fd,0o600); s=os.fstat(fd); out.append(f"unlinked {s.st_nlink} {s.st_size} {oct(s.st_mode)}")
d=os.open('d2',os.O_RDONLY)
import shutil; shutil.rmtree('d2'); s=os.fstat(d); out.append(f"rmdir open {s.st_nlink}")
try: os.open('q',os.O_CREAT|os.O_WRONLY,dir_fd=d); out.append("created in removed dir")
except OSError as e: out.append(errno.errorcode[e.errno])
# what a mapping holds that the kernel has not written back
import mmap
os.mkdir('mapped'); os.chmod('mapped',0o777); os.chdir('mapped')
fd=os.open('m',os.O_CREAT|os.O_RDWR); os.ftruncate(fd,1<<20); m=mmap.mmap(fd,1<<20)
m[500000:500005]=b'hello'
out.append(f"seek data {os.lseek(fd,0,os.SEEK_DATA)} hole {os.lseek(fd,500000,os.SEEK_HOLE)}")
for offset in (-1,1<<20):
    for whence in (os.SEEK_DATA,os.SEEK_HOLE):
        try: os.lseek(fd,offset,whence); out.append("seek ok")
        except OSError as e: out.append(f"seek {offset} {errno.errorcode[e.errno]}")
m[700000:700005]=b'hello'
os.system('cp m copy'); out.append(f"copied {open('copy','rb').read()==m[:]}")
m[0]=65; os.utime('m',(10**9,10**9)); m.close(); os.close(fd)
out.append(f"time behind a store {os.stat('m').st_mtime}")
# capabilities go with a write, by whatever descriptor
capability=bytes.fromhex('0100000202000000000000000000000000000000')
for size in (1,100000,300000):
    for how,flags in (('write',os.O_WRONLY),('both',os.O_RDWR),('append',os.O_WRONLY|os.O_APPEND),('cut',os.O_WRONLY|os.O_TRUNC)):
        for uid in (0,65533):
            content('c',b'x'*size); os.chmod('c',0o777); os.setxattr('c','security.capability',capability)
            os.setegid(uid); os.seteuid(uid)
            fd=os.open('c',flags); os.write(fd,b'y'); os.close(fd)
            os.seteuid(0); os.setegid(0)
            out.append(f"capability {size} {how} {uid} {os.listxattr('c')}"); os.unlink('c')
# one descriptor writes, others look in between
w=os.open('log',os.O_CREAT|os.O_WRONLY)
for n in range(5):
    os.write(w,b'line %d\n'%n); out.append(f"seen {open('log','rb').read()}")
fd=os.open('log',os.O_RDWR); m=mmap.mmap(fd,os.fstat(fd).st_size)
m[0:4]=b'LINE'; os.pwrite(w,b'other',7); out.append(f"both {m[:]} {open('log','rb').read()}")
os.chdir('..')
print('\n'.join(out))
